//! Lists of addresses that an account's provider does not write to.

use std::collections::{BTreeMap, HashMap};

use parking_lot::RwLock;

use crate::clock::{self, UnixMillis};

/// Most addresses of one list; further ones are refused.
const ADDRESSES_MAX: usize = 100_000;

/// The lists of one provider, by account.
#[derive(Debug, Default)]
pub(crate) struct Suppressed(RwLock<HashMap<String, BTreeMap<String, Listed>>>);

/// An address on a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    /// Why, where the provider keeps that.
    pub(crate) reason: &'static str,
    /// When it was last put there.
    pub(crate) at: UnixMillis,
}

/// What became of an addition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    New,
    ThereAlready,
    Full,
}

impl Suppressed {
    /// Puts an address on a list, or says anew why it is there.
    pub(crate) fn add(&self, account: &str, address: &str, reason: &'static str) -> Added {
        let mut lists = self.0.write();
        let list = lists.entry(account.to_owned()).or_default();
        if list.len() >= ADDRESSES_MAX && !list.contains_key(address) {
            return Added::Full;
        }
        let before = list.insert(address.to_owned(), Listed { reason, at: clock::now() });
        if before.is_some() { Added::ThereAlready } else { Added::New }
    }

    /// Takes an address off a list; false if it is not there.
    pub(crate) fn remove(&self, account: &str, address: &str) -> bool {
        self.0.write().get_mut(account).is_some_and(|list| list.remove(address).is_some())
    }

    pub(crate) fn get(&self, account: &str, address: &str) -> Option<Listed> {
        self.0.read().get(account)?.get(address).cloned()
    }

    /// Everything on a list, in the order of the addresses.
    pub(crate) fn all(&self, account: &str) -> Vec<(String, Listed)> {
        let lists = self.0.read();
        let list = lists.get(account);
        list.into_iter().flatten().map(|(address, listed)| (address.clone(), listed.clone())).collect()
    }

    /// Addresses by account.
    pub(crate) fn addresses(&self) -> BTreeMap<String, Vec<String>> {
        let lists = self.0.read();
        lists.iter().map(|(account, list)| (account.clone(), list.keys().cloned().collect())).collect()
    }
}
