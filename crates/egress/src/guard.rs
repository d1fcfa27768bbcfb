//! The one guard against requests to places that only this machine can reach (SSRF).
//!
//! It judges *addresses*, at the moment a connection is made: a name that resolves to a private address,
//! or resolves differently the second time, gains nothing. Literal addresses never pass a resolver, so
//! [`AddressRule::permits`] is also asked for each URL whose host is one.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::{address_class::AddressClass, lookup::Lookup, private_access::PrivateAccess};

/// Which addresses a client may connect to.
#[derive(Debug, Clone)]
pub(crate) struct AddressRule {
    reach: Reach,
    private: PrivateAccess,
}

/// Whether public addresses are in reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The internet and what is opened.
    PublicAndOpened,
    /// Only what is opened: plain HTTP, which must not cross the internet.
    OpenedOnly,
}

impl AddressRule {
    pub(crate) const fn new(reach: Reach, private: PrivateAccess) -> Self {
        Self { reach, private }
    }

    /// Whether a connection to `address` may be made.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        match AddressClass::of(address) {
            AddressClass::Public => self.reach == Reach::PublicAndOpened,
            _ => self.private.opens(address),
        }
    }
}

/// The guard's answer when no address of a name may be connected to.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the host has no address that may be connected to")]
pub(crate) struct AddressRefused;

/// A resolver that keeps only permitted addresses.
#[derive(Debug, Clone)]
pub(crate) struct GuardedResolver {
    rule: Arc<AddressRule>,
    lookup: Arc<dyn Lookup>,
}

impl GuardedResolver {
    pub(crate) fn new(rule: AddressRule, lookup: Arc<dyn Lookup>) -> Self {
        Self { rule: Arc::new(rule), lookup }
    }

    async fn permitted(self, host: &str) -> Result<Vec<IpAddr>, Box<dyn std::error::Error + Send + Sync>> {
        let mut addresses = self.lookup.addresses(host).await?;
        if addresses.is_empty() {
            return Err("the host has no address".into());
        }
        addresses.retain(|address| self.rule.permits(*address));
        if addresses.is_empty() { Err(Box::new(AddressRefused)) } else { Ok(addresses) }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guarded = self.clone();
        Box::pin(async move {
            let permitted = guarded.permitted(name.as_str()).await?;
            // Port 0 stands for "that of the URL".
            let addresses: Addrs = Box::new(permitted.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        net::{Ipv4Addr, Ipv6Addr},
    };

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug)]
    struct Fixed(Vec<IpAddr>);

    #[async_trait::async_trait]
    impl Lookup for Fixed {
        async fn addresses(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
            Ok(self.0.clone())
        }
    }

    async fn resolve(addresses: &[&str], private: PrivateAccess) -> Result<Vec<IpAddr>, String> {
        let lookup = Fixed(addresses.iter().map(|address| address.parse().unwrap()).collect());
        let rule = AddressRule::new(Reach::PublicAndOpened, private);
        let resolver = GuardedResolver::new(rule, Arc::new(lookup));
        resolver.permitted("host.example").await.map_err(|error| error.to_string())
    }

    #[tokio::test]
    async fn only_permitted_addresses_of_a_name_remain() {
        let mixed = ["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1"];
        let kept = resolve(&mixed, PrivateAccess::None).await.unwrap();
        assert_eq!(kept, ["1.1.1.1".parse::<IpAddr>().unwrap(), "2606:4700::1".parse().unwrap()]);
        let refused = resolve(&["169.254.169.254"], PrivateAccess::Loopback).await;
        assert_eq!(refused, Err(AddressRefused.to_string()));
        assert_eq!(resolve(&["127.0.0.1"], PrivateAccess::Loopback).await.unwrap().len(), 1);
        assert_eq!(resolve(&[], PrivateAccess::All).await, Err("the host has no address".to_owned()));
    }

    fn strict() -> AddressRule {
        AddressRule::new(Reach::PublicAndOpened, PrivateAccess::None)
    }

    /// Every way in which an IPv6 address can carry `v4`.
    fn embeddings(v4: Ipv4Addr) -> [Ipv6Addr; 6] {
        let [a, b, c, d] = v4.octets();
        let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
        [
            v4.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, !high, !low),
        ]
    }

    /// The standard library's own opinion, as an independent reference.
    fn is_plainly_special(v4: Ipv4Addr) -> bool {
        v4.is_loopback()
            || v4.is_private()
            || v4.is_link_local()
            || v4.is_multicast()
            || v4.is_broadcast()
            || v4.is_documentation()
            || v4.is_unspecified()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4096))]

        #[test]
        fn no_special_address_passes_in_any_disguise(bits: u32, near in 0usize..6) {
            // Half of the cases are moved into a block that must be closed.
            let moved = match near {
                0 => 0x7f00_0000 | (bits & 0x00ff_ffff),
                1 => 0x0a00_0000 | (bits & 0x00ff_ffff),
                2 => 0xa9fe_0000 | (bits & 0xffff),
                _ => bits,
            };
            let v4 = Ipv4Addr::from(moved);
            let permitted = strict().permits(v4.into());
            prop_assert!(!(permitted && is_plainly_special(v4)));
            let [mapped, nat64, ..] = embeddings(v4);
            prop_assert_eq!(strict().permits(mapped.into()), permitted);
            prop_assert_eq!(strict().permits(nat64.into()), permitted);
            for tunnel in &embeddings(v4)[2..] {
                prop_assert!(!strict().permits((*tunnel).into()), "{}", tunnel);
            }
        }

        #[test]
        fn a_permitted_v6_address_is_global_unicast_or_embeds_a_public_one(bits: u128) {
            let v6 = Ipv6Addr::from(bits);
            let global = bits >> 125 == 1;
            let embeds = crate::address_class::canonical(v6.into()).is_ipv4();
            prop_assert!(!strict().permits(v6.into()) || global || embeds);
        }

        #[test]
        fn plain_http_never_reaches_a_public_address(bits: u32) {
            let v4 = IpAddr::from(Ipv4Addr::from(bits));
            let plain = AddressRule::new(Reach::OpenedOnly, PrivateAccess::All);
            prop_assert!(!(plain.permits(v4) && strict().permits(v4)));
        }

        #[test]
        fn opening_more_never_closes_anything(bits: u32) {
            let v4 = IpAddr::from(Ipv4Addr::from(bits));
            let all = AddressRule::new(Reach::PublicAndOpened, PrivateAccess::All);
            prop_assert!(!strict().permits(v4) || all.permits(v4));
        }
    }
}
