//! What kind of network an address belongs to.
//!
//! Sources: the IANA special-purpose registries for IPv4 and IPv6 (RFC 6890 and its updates). For IPv6
//! the rule is the other way round: only `2000::/3` is handed out as global unicast, so whatever lies
//! outside of it is never public, known to this file or not.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressClass {
    /// Global unicast: anybody may be there.
    Public,
    /// This machine.
    Loopback,
    /// RFC 1918 and IPv6 unique local.
    Private,
    /// RFC 6598: behind a carrier's NAT, and in many clouds.
    Shared,
    /// One link; cloud metadata services answer here.
    LinkLocal,
    /// Many machines.
    Multicast,
    /// "This network"; a connection to it reaches this machine.
    Unspecified,
    /// For books.
    Documentation,
    /// For laboratories.
    Benchmarking,
    /// 6to4, Teredo and local NAT64: tunnels to an embedded address.
    Transition,
    /// Everything else that is not handed out.
    Reserved,
}

impl AddressClass {
    /// The class of what `address` really reaches: IPv4-mapped and NAT64 addresses are unwrapped.
    pub fn of(address: IpAddr) -> Self {
        match canonical(address) {
            IpAddr::V4(v4) => Self::of_v4(v4),
            IpAddr::V6(v6) => Self::of_v6(v6),
        }
    }

    /// Whether an operator may open it by naming its network: there is one machine behind it.
    pub(crate) const fn can_be_opened(self) -> bool {
        !matches!(self, Self::Multicast | Self::Unspecified)
    }

    const fn of_v4(address: Ipv4Addr) -> Self {
        match address.octets() {
            [0, ..] => Self::Unspecified,
            [127, ..] => Self::Loopback,
            [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Self::Private,
            [100, 64..=127, ..] => Self::Shared,
            [169, 254, ..] => Self::LinkLocal,
            [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Self::Documentation,
            [198, 18 | 19, ..] => Self::Benchmarking,
            [192, 88, 99, _] => Self::Transition,
            [224..=239, ..] => Self::Multicast,
            [192, 0, 0, _] | [240..=255, ..] => Self::Reserved,
            _ => Self::Public,
        }
    }

    const fn of_v6(address: Ipv6Addr) -> Self {
        match address.segments() {
            [0, 0, 0, 0, 0, 0, 0, 0] => Self::Unspecified,
            [0, 0, 0, 0, 0, 0, 0, 1] => Self::Loopback,
            [0xfc00..=0xfdff, ..] => Self::Private,
            [0xfe80..=0xfebf, ..] => Self::LinkLocal,
            [0xff00..=0xffff, ..] => Self::Multicast,
            // 6to4, Teredo, NAT64 with a local prefix (RFC 8215).
            [0x2002, ..] | [0x2001, 0, ..] | [0x64, 0xff9b, 1, ..] => Self::Transition,
            [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Self::Documentation,
            [0x2001, 2, 0, ..] => Self::Benchmarking,
            // The rest of 2001::/23: protocol assignments such as ORCHID; no service lives there.
            [0x2001, 0..=0x01ff, ..] => Self::Reserved,
            [0x2000..=0x3fff, ..] => Self::Public,
            _ => Self::Reserved,
        }
    }
}

/// The address that a connection to `address` reaches in the end.
///
/// IPv4-mapped addresses are IPv4 for the kernel. `64:ff9b::/96` is NAT64's well-known prefix: on
/// networks without IPv4 every public IPv4 service looks like this, so it counts as what it embeds.
pub(crate) fn canonical(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
            IpAddr::V4(Ipv4Addr::new(a, b, c, d))
        }
        _ => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(text: &str) -> AddressClass {
        AddressClass::of(text.parse().unwrap())
    }

    #[test]
    fn the_edges_of_every_block_are_where_the_registry_has_them() {
        use AddressClass::*;
        let cases = [
            ("0.255.255.255", Unspecified),
            ("1.0.0.0", Public),
            ("9.255.255.255", Public),
            ("10.0.0.0", Private),
            ("11.0.0.0", Public),
            ("100.63.255.255", Public),
            ("100.64.0.0", Shared),
            ("100.127.255.255", Shared),
            ("100.128.0.0", Public),
            ("126.255.255.255", Public),
            ("127.255.255.255", Loopback),
            ("128.0.0.0", Public),
            ("169.253.255.255", Public),
            ("169.254.169.254", LinkLocal),
            ("172.15.255.255", Public),
            ("172.16.0.0", Private),
            ("172.31.255.255", Private),
            ("172.32.0.0", Public),
            ("192.0.0.170", Reserved),
            ("192.0.1.0", Public),
            ("192.0.2.1", Documentation),
            ("192.88.99.1", Transition),
            ("192.168.255.255", Private),
            ("198.17.255.255", Public),
            ("198.18.0.0", Benchmarking),
            ("198.19.255.255", Benchmarking),
            ("198.20.0.0", Public),
            ("198.51.100.7", Documentation),
            ("203.0.113.9", Documentation),
            ("223.255.255.255", Public),
            ("224.0.0.1", Multicast),
            ("240.0.0.1", Reserved),
            ("255.255.255.255", Reserved),
            ("::", Unspecified),
            ("::1", Loopback),
            ("::2", Reserved),
            ("::7f00:1", Reserved),
            ("::ffff:127.0.0.1", Loopback),
            ("::ffff:8.8.8.8", Public),
            ("64:ff9b::10.0.0.1", Private),
            ("64:ff9b::8.8.8.8", Public),
            ("64:ff9b:1::8.8.8.8", Transition),
            ("100::1", Reserved),
            ("2001::1", Transition),
            ("2001:2::1", Benchmarking),
            ("2001:20::1", Reserved),
            ("2001:db8::1", Documentation),
            ("2001:4860:4860::8888", Public),
            ("2002:7f00:1::1", Transition),
            ("3fff::1", Documentation),
            ("3fff:1000::1", Public),
            ("4000::1", Reserved),
            ("5f00::1", Reserved),
            ("fbff::1", Reserved),
            ("fc00::1", Private),
            ("fdff::1", Private),
            ("fe80::1", LinkLocal),
            ("fec0::1", Reserved),
            ("ff02::1", Multicast),
        ];
        for (address, expected) in cases {
            assert_eq!(class(address), expected, "{address}");
        }
    }
}
