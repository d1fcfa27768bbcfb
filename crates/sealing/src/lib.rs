//! Encryption at rest, by XChaCha20-Poly1305 throughout.
//!
//! - [`Cipher`] seals credentials, and the vault key, under the operator's credentials key.
//! - [`VaultKey`] wraps the [`DataKey`] of each recipient, and hashes addresses, so that no stored byte leads back to
//!   one. It stays the same for ever; only what seals it is changed by a rotation.
//! - [`sealed_envelope`] is how a message is stored: what is personal is encrypted under the data keys of **all** its
//!   addresses together, so that destroying any one of them makes it unreadable wherever there is a copy.

mod cipher;
mod data_key;
pub mod sealed_envelope;
mod vault_key;

pub use cipher::{Cipher, SealError};
pub use data_key::{DataKey, KeyId};
pub use vault_key::{RecipientHash, VaultKey};
