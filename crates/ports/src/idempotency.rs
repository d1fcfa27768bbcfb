//! Idempotency keys: one reply for one request, however often it is sent.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{MessageId, TenantId, UnixMillis, message::Mode};

use crate::store_error::StoreError;

/// A key taken by a request. Committed with what the request made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Claim {
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// 1–255 visible ASCII characters (batch items append `#i`).
    pub key: String,
    /// SHA-256 over method, path and canonical JSON.
    pub fingerprint: [u8; 32],
    /// What it led to.
    pub result: ClaimResult,
    /// May be forgotten from then on.
    pub expires_at: UnixMillis,
}

/// What a claimed request led to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ClaimResult {
    /// A message; its reply is built from the stored envelope.
    Message(MessageId),
    /// A reply as it was sent, secrets removed.
    Reply(Box<StoredReply>),
}

/// A reply that is given again when its request is repeated.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredReply {
    /// Status code, 2xx.
    pub status: u16,
    /// JSON body.
    pub body: String,
    /// `Location`, if it named one: a path.
    pub location: Option<String>,
    /// `ETag`, if it named one, with its quotes.
    pub etag: Option<String>,
}

impl From<StoredReply> for ClaimResult {
    fn from(reply: StoredReply) -> Self {
        Self::Reply(Box::new(reply))
    }
}

/// Keeps claims at least 24 hours.
#[async_trait]
pub trait Idempotency: Send + Sync + fmt::Debug {
    /// The claim on a key, if any; expired ones are not found.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn find(
        &self,
        tenant: TenantId,
        mode: Mode,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Claim>, StoreError>;

    /// Takes a key for a reply that made no message.
    ///
    /// # Errors
    /// `ClaimTaken`, `Unavailable`.
    async fn save(&self, claim: Claim) -> Result<(), StoreError>;
}
