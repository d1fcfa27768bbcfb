//! Encrypting messages that are kept in another store than their data keys.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{UnixMillis, message::Envelope};

use crate::store_error::StoreError;

/// Seals envelopes under the data keys of their recipients, and opens them as long as no key of theirs is destroyed.
#[async_trait]
pub trait EnvelopeVault: Send + Sync + fmt::Debug {
    /// The same for as long as the vault lives, and another one for every other vault. Tells nothing about its key.
    fn fingerprint(&self) -> [u8; 16];

    /// Encrypts what is personal. Keys that this gives to new recipients are durable when it returns.
    ///
    /// # Errors
    /// `Unavailable`; `Damaged` for an envelope that cannot be written down.
    async fn seal(&self, envelope: &Envelope) -> Result<Bytes, StoreError>;

    /// Reads what [`Self::seal`] or [`Self::bare`] made, or an envelope in plain JSON. One that was erased comes without
    /// what is personal, and says when that was.
    ///
    /// # Errors
    /// `Damaged` for what is none, was altered or needs another vault; `Unavailable`.
    async fn unseal(&self, stored: &[u8]) -> Result<Envelope, StoreError>;

    /// The envelope for good without what is personal in it.
    ///
    /// # Errors
    /// `Damaged` for an envelope that cannot be written down.
    fn bare(&self, envelope: &Envelope, erased_at: UnixMillis) -> Result<Bytes, StoreError>;

    /// Whether stored bytes hold what is personal in plain text.
    fn is_plain(&self, stored: &[u8]) -> bool;
}
