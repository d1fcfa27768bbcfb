//! Data keys in memory, for everybody who reads or writes messages.

use std::{collections::HashMap, num::NonZeroUsize};

use hermes_domain::{UnixMillis, message::Envelope};
use hermes_ports::StoreError;
use hermes_sealing::{
    DataKey, KeyId, RecipientHash, VaultKey,
    sealed_envelope::{EnvelopeError, StoredEnvelope},
};
use lru::LruCache;
use parking_lot::Mutex;

use crate::columns::damaged;

/// Most keys in memory, about 100 bytes each.
const KEYS_MAX: NonZeroUsize = NonZeroUsize::new(65_536).unwrap();

/// What is known about a key.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    Key(DataKey),
    Erased(UnixMillis),
}

/// The vault key, and the data keys that were used last.
#[derive(Debug)]
pub(crate) struct Vault {
    key: VaultKey,
    cache: Mutex<Cache>,
}

#[derive(Debug)]
struct Cache {
    by_id: LruCache<KeyId, Known>,
    by_recipient: LruCache<RecipientHash, KeyId>,
    /// Grows with each erasure: what was read before one may not be remembered after it.
    erasures: u64,
}

impl Vault {
    pub(crate) fn new(key: VaultKey) -> Self {
        let (by_id, by_recipient) = (LruCache::new(KEYS_MAX), LruCache::new(KEYS_MAX));
        Self { key, cache: Mutex::new(Cache { by_id, by_recipient, erasures: 0 }) }
    }

    pub(crate) const fn key(&self) -> &VaultKey {
        &self.key
    }

    /// The key that a recipient has now, if it was used lately.
    pub(crate) fn of_recipient(&self, recipient: RecipientHash) -> Option<(KeyId, DataKey)> {
        let mut cache = self.cache.lock();
        let id = *cache.by_recipient.get(&recipient)?;
        match cache.by_id.get(&id)? {
            Known::Key(key) => Some((id, key.clone())),
            Known::Erased(_) => None,
        }
    }

    /// Those of `ids` that are known, and a number to hand to [`Self::remember`].
    pub(crate) fn known(&self, ids: impl Iterator<Item = KeyId>) -> (HashMap<KeyId, Known>, u64) {
        let mut cache = self.cache.lock();
        let known = ids.filter_map(|id| Some((id, cache.by_id.get(&id)?.clone()))).collect();
        (known, cache.erasures)
    }

    /// Remembers what was read from the store, unless something has been erased since `known` was asked.
    pub(crate) fn remember(&self, read: &HashMap<KeyId, Known>, erasures: u64) {
        let mut cache = self.cache.lock();
        if cache.erasures == erasures {
            for (id, known) in read {
                cache.by_id.put(*id, known.clone());
            }
        }
    }

    /// A recipient has this key from now on.
    pub(crate) fn assign(&self, recipient: RecipientHash, id: KeyId, key: DataKey) {
        let mut cache = self.cache.lock();
        cache.by_recipient.put(recipient, id);
        cache.by_id.put(id, Known::Key(key));
    }

    /// A recipient has no key any more.
    pub(crate) fn forget(&self, recipient: RecipientHash) {
        self.cache.lock().by_recipient.pop(&recipient);
    }

    /// A key is destroyed.
    pub(crate) fn erased(&self, id: KeyId, at: UnixMillis) {
        let mut cache = self.cache.lock();
        cache.erasures += 1;
        cache.by_id.put(id, Known::Erased(at));
    }
}

/// Reads an envelope with the keys that are known of those it needs.
pub(crate) fn read_envelope(bytes: &[u8], known: &HashMap<KeyId, Known>) -> Result<Envelope, StoreError> {
    let unreadable = |cause: EnvelopeError| damaged(format!("an envelope: {cause}"));
    let sealed = match StoredEnvelope::read(bytes).map_err(unreadable)? {
        StoredEnvelope::Readable(envelope) => return Ok(*envelope),
        StoredEnvelope::Sealed(sealed) => sealed,
    };
    let mut keys = Vec::with_capacity(sealed.keys().len());
    for id in sealed.keys() {
        match known.get(id) {
            Some(Known::Key(key)) => keys.push(key.clone()),
            Some(Known::Erased(at)) => return sealed.erased(*at).map_err(unreadable),
            None => return Err(damaged("an envelope whose data key is missing")),
        }
    }
    sealed.open(&keys).map_err(unreadable)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_was_read_before_it_was_destroyed_is_not_remembered_after() {
        let vault = Vault::new(VaultKey::from_bytes([1; 32]));
        let (id, key) = (KeyId(1), DataKey::random().unwrap());
        let read = HashMap::from([(id, Known::Key(key))]);
        let (_, erasures) = vault.known(std::iter::once(id));
        vault.erased(id, UnixMillis(7));
        vault.remember(&read, erasures);
        let (known, erasures) = vault.known(std::iter::once(id));
        assert!(matches!(known[&id], Known::Erased(UnixMillis(7))));
        let other = HashMap::from([(KeyId(2), Known::Erased(UnixMillis(8)))]);
        vault.remember(&other, erasures);
        assert_eq!(vault.known(std::iter::once(KeyId(2))).0.len(), 1);
    }
}
