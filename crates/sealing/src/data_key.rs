//! The key of one recipient within one tenant and mode.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::SealError;

/// Names a data key; never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct KeyId(pub i64);

/// 32 random bytes. Whatever a recipient can be recognised by is derived from them, and is worth nothing without them.
#[derive(Clone, PartialEq, Eq)]
pub struct DataKey(pub(crate) [u8; 32]);

impl DataKey {
    /// A new one.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn random() -> Result<Self, SealError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| SealError::NoRandomness)?;
        Ok(Self(bytes))
    }

    /// What the recipient's messages are found by. Persisted in the index: never change it.
    pub fn term(&self) -> i64 {
        let [a, b, c, d, e, f, g, h, ..] = mac(&self.0, &[b"hermes term of a recipient"]);
        i64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DataKey(…)")
    }
}

/// HMAC-SHA256 over parts whose lengths are known or that come last.
pub(crate) fn mac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(key).expect("any length is a key");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().into()
}
