//! What keys may do: scopes of tenants' keys, roles of operators' keys.

use std::collections::BTreeSet;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// What a tenant's key may do. None includes another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Scope {
    /// Send, validate, cancel and acknowledge messages.
    Send,
    /// Read everything of the tenant.
    Read,
    /// Change webhooks, cascades and whatever else is set up once.
    Manage,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Self; 3] = [Self::Send, Self::Read, Self::Manage];

    /// Its name in storage and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Send => "send",
            Self::Read => "read",
            Self::Manage => "manage",
        }
    }

    /// A scope by its stored name. Scopes used to be `<resource>:<right>`; such a one means the narrowest of
    /// today's that holds what its holder asked for: reading, sending messages, or changing the rest.
    fn stored(name: &str) -> Option<Self> {
        let known = Self::ALL.into_iter().find(|scope| scope.as_str() == name);
        known.or_else(|| match name.split_once(':')? {
            (_, "read") => Some(Self::Read),
            ("messages" | "batches", "write") => Some(Self::Send),
            (_, "write") => Some(Self::Manage),
            (_, _) => None,
        })
    }
}

/// The scopes of a key.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Scopes {
    /// Everything that its owner may do.
    #[default]
    All,
    /// Only these; possibly none.
    Only(BTreeSet<Scope>),
}

impl Scopes {
    /// Only these; without any, everything: so does whoever names none when a key is made.
    pub fn named(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let scopes: BTreeSet<_> = scopes.into_iter().collect();
        if scopes.is_empty() { Self::All } else { Self::Only(scopes) }
    }

    /// Whether `scope` is among them.
    pub fn hold(&self, scope: Scope) -> bool {
        match self {
            Self::All => true,
            Self::Only(scopes) => scopes.contains(&scope),
        }
    }

    /// Whether they limit nothing.
    pub const fn are_all(&self) -> bool {
        matches!(self, Self::All)
    }

    /// The names of the scopes; empty when nothing is limited.
    pub fn names(&self) -> Vec<&'static str> {
        match self {
            Self::All => Vec::new(),
            Self::Only(scopes) => scopes.iter().map(|scope| scope.as_str()).collect(),
        }
    }
}

impl Serialize for Scopes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

impl<'de> Deserialize<'de> for Scopes {
    /// A list that is there limits, even when nothing in it means anything today.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Ok(Self::Only(names.iter().filter_map(|name| Scope::stored(name)).collect()))
    }
}

/// What an operator's key may do. Each role includes those before it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Looks at everything, changes nothing.
    Viewer,
    /// Keeps things running: holds, releases, kills, suspends, resumes.
    Operator,
    /// Decides who may do what, and with which providers and adapters.
    Admin,
}

impl Role {
    /// Every role, the least powerful first.
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Operator, Self::Admin];

    /// Its name in storage and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Admin => "admin",
        }
    }

    /// Whether this role includes `needed`.
    pub fn includes(self, needed: Self) -> bool {
        self >= needed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(json: &str) -> Scopes {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn scopes_of_old_keys_become_the_narrowest_that_fit_and_never_everything() {
        let meant = |json| stored(json).names().join(" ");
        assert_eq!(meant(r#"["messages:write"]"#), "send");
        assert_eq!(meant(r#"["webhooks:read", "messages:read"]"#), "read");
        assert_eq!(meant(r#"["cascades:write", "batches:write"]"#), "send manage");
        let nothing = stored(r#"["money:burn"]"#);
        assert!(Scope::ALL.iter().all(|scope| !nothing.hold(*scope)), "{nothing:?}");
        assert_eq!(stored(&serde_json::to_string(&nothing).unwrap()), nothing);
    }

    #[test]
    fn a_key_for_which_no_scopes_were_named_may_do_everything() {
        assert!(Scope::ALL.iter().all(|scope| Scopes::named([]).hold(*scope)));
        let only = Scopes::named([Scope::Read]);
        assert_eq!(stored(&serde_json::to_string(&only).unwrap()), only);
        assert!(only.hold(Scope::Read) && !only.hold(Scope::Send) && !only.hold(Scope::Manage));
    }

    #[test]
    fn each_role_includes_the_lesser_ones() {
        assert!(Role::Admin.includes(Role::Viewer) && Role::Operator.includes(Role::Operator));
        assert!(!Role::Viewer.includes(Role::Operator) && !Role::Operator.includes(Role::Admin));
    }
}
