//! What has to happen with an address on a provider's own list when a tenant's rules about it change.

use crate::address::Channel;

/// How an address stands with a provider's list, as far as Hermes has had to do with it. The names are persisted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listed {
    /// It is to be put there.
    Adding,
    /// It is to be taken off.
    Removing,
    /// Hermes put it there.
    Ours,
}

impl Listed {
    /// Every state.
    pub const ALL: [Self; 3] = [Self::Adding, Self::Removing, Self::Ours];

    /// Its name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Adding => "adding",
            Self::Removing => "removing",
            Self::Ours => "ours",
        }
    }
}

/// The rules about exactly one address that concern a list: on its channel or all of them, about every sender, without
/// an end.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Concerning {
    /// There is one that did not come from a provider: the address belongs on the list.
    pub wanted: bool,
    /// There is any: what is on the list stays there.
    pub stands: bool,
    /// One that came from a provider was removed just now: then the address is on the list without Hermes' doing.
    pub theirs_went: bool,
}

/// The new state of an address whose state is `now` (`None`: Hermes has had nothing to do with it), when the rules have
/// become `rules`. `None`: nothing changes.
///
/// What others put on the list is taken off only with a rule that came from it.
pub const fn follow(now: Option<Listed>, rules: Concerning) -> Option<Listed> {
    match now {
        None if rules.wanted => Some(Listed::Adding),
        None if rules.theirs_went && !rules.stands => Some(Listed::Removing),
        None => None,
        // An addition that is still to come may be under way: only a removal after it is certain.
        Some(Listed::Adding | Listed::Ours) if !rules.stands => Some(Listed::Removing),
        Some(Listed::Adding | Listed::Ours) => None,
        Some(Listed::Removing) if rules.wanted => Some(Listed::Adding),
        Some(Listed::Removing) => None,
    }
}

/// Whether a list of `channel` can hold an address of this form.
pub fn fits(channel: Channel, address: &str) -> bool {
    match channel {
        Channel::Sms | Channel::Whatsapp => address.starts_with('+') && !address.contains('@'),
        Channel::Email => address.contains('@'),
        Channel::Push => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Concerning = Concerning { wanted: false, stands: false, theirs_went: false };
    const OWN: Concerning = Concerning { wanted: true, stands: true, theirs_went: false };
    const THEIRS: Concerning = Concerning { wanted: false, stands: true, theirs_went: false };
    const THEIRS_WENT: Concerning = Concerning { wanted: false, stands: false, theirs_went: true };

    #[test]
    fn a_rule_of_the_tenant_is_added_and_one_learnt_from_the_list_is_not_echoed() {
        assert_eq!(follow(None, OWN), Some(Listed::Adding));
        assert_eq!(follow(None, THEIRS), None);
        for known in [Listed::Adding, Listed::Ours] {
            assert_eq!(follow(Some(known), OWN), None);
        }
    }

    #[test]
    fn only_what_is_ours_or_was_learnt_there_is_removed() {
        assert_eq!(follow(None, NONE), None);
        assert_eq!(follow(None, THEIRS_WENT), Some(Listed::Removing));
        assert_eq!(follow(None, Concerning { stands: true, ..THEIRS_WENT }), None);
        for ours in [Listed::Adding, Listed::Ours] {
            assert_eq!(follow(Some(ours), NONE), Some(Listed::Removing));
            assert_eq!(follow(Some(ours), THEIRS), None, "a rule learnt from the list still stands");
        }
    }

    #[test]
    fn a_rule_that_comes_back_overtakes_its_removal() {
        assert_eq!(follow(Some(Listed::Removing), OWN), Some(Listed::Adding));
        assert_eq!(follow(Some(Listed::Removing), THEIRS), None);
        assert_eq!(follow(Some(Listed::Removing), NONE), None);
    }

    #[test]
    fn lists_hold_addresses_of_their_channel() {
        assert!(fits(Channel::Sms, "+4520123456") && fits(Channel::Email, "a@example.com"));
        assert!(!fits(Channel::Sms, "a@example.com") && !fits(Channel::Email, "+4520123456"));
        assert!(!fits(Channel::Sms, "erased:00") && !fits(Channel::Email, "erased:00"));
    }
}
