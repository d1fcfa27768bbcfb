//! The key of one recipient within one tenant and mode.

use std::fmt;

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

use crate::SealError;

const NONCE_BYTES: usize = 24;

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

    /// Encrypts something about the recipient that no message holds: `nonce (24) | ciphertext and tag`, bound to the record
    /// called `owner`.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn seal(&self, owner: &[u8], text: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let payload = Payload { msg: text, aad: owner };
        let sealed = self.texts().encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Forged)?;
        Ok([&nonce[..], &sealed].concat())
    }

    /// Opens what [`Self::seal`] made for the same record.
    ///
    /// # Errors
    /// `Format`, `Forged`.
    pub fn open(&self, owner: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::Format)?;
        let payload = Payload { msg: sealed, aad: owner };
        self.texts().decrypt(&XNonce::from(*nonce), payload).map_err(|_| SealError::Forged)
    }

    fn texts(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&mac(&self.0, &[b"hermes text about a recipient"])).into())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_opens_only_for_its_record_and_under_its_key() {
        let (key, other) = (DataKey::random().unwrap(), DataKey::random().unwrap());
        let sealed = key.seal(b"in_1", b"+4520123456").unwrap();
        assert_eq!(key.open(b"in_1", &sealed).as_deref(), Ok(&b"+4520123456"[..]));
        assert_eq!(key.open(b"in_2", &sealed), Err(SealError::Forged));
        assert_eq!(other.open(b"in_1", &sealed), Err(SealError::Forged));
        assert_eq!(key.open(b"in_1", &sealed[..9]), Err(SealError::Format));
        assert!(!sealed.windows(8).any(|window| window == b"20123456"));
        assert_ne!(sealed, key.seal(b"in_1", b"+4520123456").unwrap());
    }
}
