//! The form in which keys are stored: a keyed hash of the secret.

use std::hash::{Hash, Hasher};

use hmac::Mac as _;
use subtle::ConstantTimeEq as _;

use crate::directory::KeyHasher;

/// HMAC-SHA256 of a key's secret.
///
/// Equality takes the same time wherever two hashes differ. Finding one in a map does not, but what such times tell is
/// about the hash of a guess, and without the hash key nobody knows which guess has which hash.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyHash([u8; 32]);

impl KeyHash {
    pub(crate) fn of(hasher: &KeyHasher, secret: &str) -> Self {
        Self(hasher.start().chain_update(secret.as_bytes()).finalize().into_bytes().into())
    }

    /// From the name of its record.
    pub(crate) fn read(hex: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(hex, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    /// The name of its record.
    pub(crate) fn hex(self) -> String {
        hex::encode(self.0)
    }
}

impl PartialEq for KeyHash {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for KeyHash {}

impl Hash for KeyHash {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
