//! Secrets at rest: XChaCha20-Poly1305, bound to the record that holds them.
//!
//! A sealed secret is `format (1) | key id (4) | nonce (24) | ciphertext and tag`. The record's id is
//! authenticated with it, so a secret copied into another record does not open.

use std::fmt;

use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use sha2::{Digest, Sha256};

const FORMAT: u8 = 1;
const KEY_ID_BYTES: usize = 4;
const NONCE_BYTES: usize = 24;
const HEADER_BYTES: usize = 1 + KEY_ID_BYTES + NONCE_BYTES;

/// Why a secret could not be sealed or opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// Too short, or of an unknown format.
    #[error("the sealed secret has an unknown format")]
    Format,
    /// Sealed under a key that this process was not given.
    #[error("the secret was sealed under another credentials key")]
    OtherKey,
    /// The secret was altered, or belongs to another record.
    #[error("the sealed secret is not authentic")]
    Forged,
    /// The system gave no random bytes.
    #[error("no random bytes available")]
    NoRandomness,
}

/// Seals secrets under one key, and opens those of the key before it too.
pub struct Cipher {
    current: Key,
    previous: Option<Key>,
}

struct Key {
    aead: XChaCha20Poly1305,
    id: [u8; KEY_ID_BYTES],
}

impl Key {
    fn new(key: &[u8; 32]) -> Self {
        let digest = Sha256::new_with_prefix(b"hermes credentials key id").chain_update(key).finalize();
        let mut id = [0; KEY_ID_BYTES];
        id.copy_from_slice(&digest[..KEY_ID_BYTES]);
        Self { aead: XChaCha20Poly1305::new(key.into()), id }
    }

    fn has_sealed(&self, sealed: &[u8]) -> bool {
        sealed.get(1..=KEY_ID_BYTES) == Some(&self.id[..])
    }
}

impl Cipher {
    /// With the current key, and the one before it while a rotation is under way.
    pub fn new(current: &[u8; 32], previous: Option<&[u8; 32]>) -> Self {
        Self { current: Key::new(current), previous: previous.map(Key::new) }
    }

    /// Whether `sealed` needs the current key only.
    pub fn is_current(&self, sealed: &[u8]) -> bool {
        self.current.has_sealed(sealed)
    }

    /// Seals `secret` for the record called `owner`.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub fn seal(&self, owner: &str, secret: &[u8]) -> Result<Vec<u8>, SealError> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| SealError::NoRandomness)?;
        let payload = Payload { msg: secret, aad: owner.as_bytes() };
        let sealed =
            self.current.aead.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Forged)?;
        Ok([&[FORMAT], &self.current.id[..], &nonce, &sealed].concat())
    }

    /// Opens what [`Self::seal`] made for the same record.
    ///
    /// # Errors
    /// See [`SealError`].
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        if sealed.len() < HEADER_BYTES || sealed[0] != FORMAT {
            return Err(SealError::Format);
        }
        let mut keys = [Some(&self.current), self.previous.as_ref()].into_iter().flatten();
        let key = keys.find(|key| key.has_sealed(sealed)).ok_or(SealError::OtherKey)?;
        let nonce: [u8; NONCE_BYTES] =
            sealed[1 + KEY_ID_BYTES..HEADER_BYTES].try_into().map_err(|_| SealError::Format)?;
        let payload = Payload { msg: &sealed[HEADER_BYTES..], aad: owner.as_bytes() };
        key.aead.decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Forged)
    }
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_for_its_record_and_under_its_key() {
        let cipher = Cipher::new(&[1; 32], None);
        let sealed = cipher.seal("prv_1", b"token").unwrap();
        assert_eq!(cipher.open("prv_1", &sealed), Ok(b"token".to_vec()));
        assert_eq!(cipher.open("prv_2", &sealed), Err(SealError::Forged));
        assert_eq!(Cipher::new(&[2; 32], None).open("prv_1", &sealed), Err(SealError::OtherKey));
        let rotated = Cipher::new(&[2; 32], Some(&[1; 32]));
        assert_eq!(rotated.open("prv_1", &sealed), Ok(b"token".to_vec()));
        assert!(
            !rotated.is_current(&sealed) && rotated.is_current(&rotated.seal("prv_1", b"token").unwrap())
        );
        let mut altered = sealed.clone();
        altered[HEADER_BYTES] ^= 1;
        assert_eq!(cipher.open("prv_1", &altered), Err(SealError::Forged));
        assert_eq!(cipher.open("prv_1", &sealed[..10]), Err(SealError::Format));
        assert!(!sealed.windows(5).any(|window| window == b"token"));
    }

    #[test]
    fn the_same_secret_never_seals_to_the_same_bytes() {
        let cipher = Cipher::new(&[1; 32], None);
        assert_ne!(cipher.seal("prv_1", b"token"), cipher.seal("prv_1", b"token"));
    }
}
