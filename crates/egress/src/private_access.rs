//! Which non-public addresses an operator has opened.

use std::net::IpAddr;

use ipnet::IpNet;

use crate::address_class::{AddressClass, canonical};

/// Non-public addresses that may be connected to. The default opens none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PrivateAccess {
    /// None.
    #[default]
    None,
    /// This machine: development.
    Loopback,
    /// Exactly these networks; multicast and "this network" stay closed even if listed.
    Networks(Vec<IpNet>),
    /// Loopback, private and shared networks. Link-local is not among them, because cloud metadata
    /// services live there: name `169.254.0.0/16` as a network to open it.
    All,
}

/// A setting that [`PrivateAccess::parse`] does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected \"loopback\", \"all\" or a network such as 10.0.0.0/8, not {0:?}")]
pub struct InvalidPrivateAccess(pub String);

impl PrivateAccess {
    /// Reads a setting: a list of `loopback`, `all` and networks in CIDR notation; empty for none.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn parse<S: AsRef<str>>(entries: &[S]) -> Result<Self, InvalidPrivateAccess> {
        let mut networks = Vec::new();
        let mut loopback = false;
        for entry in entries {
            match entry.as_ref().trim() {
                "all" => return Ok(Self::All),
                "loopback" => loopback = true,
                other => networks.push(other.parse().map_err(|_| InvalidPrivateAccess(other.to_owned()))?),
            }
        }
        match (loopback, networks.is_empty()) {
            (false, true) => Ok(Self::None),
            (true, true) => Ok(Self::Loopback),
            (false, false) => Ok(Self::Networks(networks)),
            (true, false) => {
                networks.extend(loopback_networks());
                Ok(Self::Networks(networks))
            }
        }
    }

    /// Whether the non-public `address` is open.
    pub(crate) fn opens(&self, address: IpAddr) -> bool {
        let class = AddressClass::of(address);
        match self {
            Self::None => false,
            Self::Loopback => class == AddressClass::Loopback,
            Self::Networks(networks) => {
                let address = canonical(address);
                class.can_be_opened() && networks.iter().any(|network| network.contains(&address))
            }
            Self::All => {
                matches!(class, AddressClass::Loopback | AddressClass::Private | AddressClass::Shared)
            }
        }
    }
}

fn loopback_networks() -> [IpNet; 2] {
    use std::net::{Ipv4Addr, Ipv6Addr};
    [
        IpNet::new_assert(Ipv4Addr::new(127, 0, 0, 0).into(), 8),
        IpNet::new_assert(Ipv6Addr::LOCALHOST.into(), 128),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opens(access: &PrivateAccess, address: &str) -> bool {
        access.opens(address.parse().unwrap())
    }

    #[test]
    fn settings_are_read_and_wrong_ones_are_named() {
        assert_eq!(PrivateAccess::parse::<&str>(&[]), Ok(PrivateAccess::None));
        assert_eq!(PrivateAccess::parse(&["loopback"]), Ok(PrivateAccess::Loopback));
        assert_eq!(PrivateAccess::parse(&["10.0.0.0/8", "all"]), Ok(PrivateAccess::All));
        assert_eq!(PrivateAccess::parse(&["10.0.0.0/33"]), Err(InvalidPrivateAccess("10.0.0.0/33".into())));
        let both = PrivateAccess::parse(&["loopback", "10.1.0.0/16"]).unwrap();
        assert!(opens(&both, "127.0.0.1") && opens(&both, "::1") && opens(&both, "10.1.2.3"));
        assert!(!opens(&both, "10.2.0.1"));
    }

    #[test]
    fn each_grade_opens_what_it_says_and_no_more() {
        assert!(opens(&PrivateAccess::Loopback, "::ffff:127.0.0.1"));
        assert!(!opens(&PrivateAccess::Loopback, "0.0.0.0"));
        assert!(!opens(&PrivateAccess::Loopback, "10.0.0.1"));
        assert!(opens(&PrivateAccess::All, "fd00::1") && opens(&PrivateAccess::All, "100.64.0.1"));
        assert!(!opens(&PrivateAccess::All, "169.254.169.254"));
        let everything = PrivateAccess::parse(&["0.0.0.0/0", "::/0"]).unwrap();
        assert!(opens(&everything, "169.254.169.254"));
        assert!(!opens(&everything, "0.0.0.0") && !opens(&everything, "224.0.0.1"));
    }
}
