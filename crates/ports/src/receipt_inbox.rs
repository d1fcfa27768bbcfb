//! Receipts that cannot be applied yet: kept, bounded, offered again.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{ConnectionId, UnixMillis};

use crate::store_error::StoreError;

/// Number of a parked receipt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct ParkedId(pub i64);

/// Most parked receipts of one kind per connection.
pub const PARKED_MAX: usize = 10_000;
/// How long a parked receipt is kept, in milliseconds (72 hours).
pub const PARKED_FOR_MS: u64 = 72 * 3_600_000;

/// Why a receipt is parked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ParkedKind {
    /// Verified; its message or provider id is not known (yet).
    Orphan,
    /// The adapter could not be asked; the raw webhook is kept.
    Unverified,
    /// Verified, but not from the connection that carried the attempt. Never applied.
    Quarantined,
}

/// A parked receipt.
#[derive(Clone, PartialEq, Eq)]
pub struct Parked {
    /// Why.
    pub kind: ParkedKind,
    /// Through which connection.
    pub connection: ConnectionId,
    /// What will make it applicable: our reference or the provider's id; empty when unverified.
    pub key: String,
    /// The receipt (JSON) or the raw webhook, as whoever parked it encoded it.
    pub body: Bytes,
    /// When it arrived.
    pub received_at: UnixMillis,
}

impl fmt::Debug for Parked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parked")
            .field("kind", &self.kind)
            .field("connection", &self.connection)
            .finish_non_exhaustive()
    }
}

/// Keeps parked receipts.
#[async_trait]
pub trait ReceiptInbox: Send + Sync + fmt::Debug {
    /// Parks a receipt durably. The same (kind, connection, key, body) is kept once.
    ///
    /// # Errors
    /// `Full` when the connection has [`PARKED_MAX`] of this kind; `Unavailable`.
    async fn park(&self, receipt: Parked) -> Result<ParkedId, StoreError>;

    /// Orphans of a connection waiting for `key`, oldest first, at most 100.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn waiting_for(
        &self,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError>;

    /// Receipts of one kind after `after`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(
        &self,
        kind: ParkedKind,
        after: Option<ParkedId>,
        limit: usize,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError>;

    /// Forgets one; unknown ids are ignored.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn remove(&self, id: ParkedId) -> Result<(), StoreError>;

    /// Forgets what arrived before `before`; returns how many.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn prune(&self, before: UnixMillis) -> Result<u64, StoreError>;
}
