//! Batches of messages: their lines until they are taken, and what became of each.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{
    BatchId, TenantId, UnixMillis,
    batch::{Batch, BatchItem, BatchState},
    cascade::MessageStatus,
    tenant::TenantScope,
};

use crate::{idempotency::Claim, store_error::StoreError};

/// Most lines that one [`Batches::append`] takes.
pub const APPEND_MAX: usize = 1_000;

/// A line that was not taken yet.
#[derive(Clone, PartialEq, Eq)]
pub struct WaitingLine {
    /// Its place in the batch, from 0.
    pub index: u32,
    /// As it was uploaded: one message, with addresses and content.
    pub body: Bytes,
}

impl fmt::Debug for WaitingLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WaitingLine").field("index", &self.index).finish_non_exhaustive()
    }
}

/// Keeps batches. Whatever returns `Ok` is durable.
#[async_trait]
pub trait Batches: Send + Sync + fmt::Debug {
    /// Begins a batch without items, in the state `Receiving`.
    ///
    /// # Errors
    /// `Full` when the scope has `under_way_max` batches under way; `Conflict` when the id exists; `Unavailable`.
    async fn open(&self, batch: Batch, under_way_max: usize) -> Result<(), StoreError>;

    /// Adds lines at the end of a batch that is `Receiving`; at most [`APPEND_MAX`].
    ///
    /// # Errors
    /// `Conflict` when there is no such batch in that state; `Unavailable`.
    async fn append(&self, scope: TenantScope, id: BatchId, lines: Vec<Bytes>) -> Result<(), StoreError>;

    /// Turns a batch that is `Receiving` into one that is `Running`, and takes the idempotency key of its request.
    ///
    /// # Errors
    /// `ClaimTaken` when somebody holds the key; `Conflict` when there is no such batch in that state; `Unavailable`.
    /// Nothing has changed then.
    async fn start(
        &self,
        scope: TenantScope,
        id: BatchId,
        claim: Option<Claim>,
        now: UnixMillis,
    ) -> Result<(), StoreError>;

    /// Keeps a batch whose items have all been taken, with what became of them; one that is there under the same id is
    /// replaced.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record(&self, batch: Batch, items: Vec<BatchItem>) -> Result<(), StoreError>;

    /// A batch; those that are `Receiving` are not found.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn get(&self, scope: TenantScope, id: BatchId) -> Result<Option<Batch>, StoreError>;

    /// Batches older than `before`, newest first, at most `limit`; those that are `Receiving` are left out.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn list(
        &self,
        scope: TenantScope,
        before: Option<BatchId>,
        limit: usize,
    ) -> Result<Vec<Batch>, StoreError>;

    /// Items from index `from` on, in their order, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn items(
        &self,
        scope: TenantScope,
        id: BatchId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<BatchItem>, StoreError>;

    /// How many of the batch's messages are in which status; those that are kept no more are left out.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn statuses(
        &self,
        scope: TenantScope,
        id: BatchId,
    ) -> Result<Vec<(MessageStatus, u32)>, StoreError>;

    /// Lines that were not taken yet, from index `from` on, in their order, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn waiting(
        &self,
        scope: TenantScope,
        id: BatchId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<WaitingLine>, StoreError>;

    /// Says what became of items, and forgets their lines. Items that do not wait stay as they are.
    ///
    /// # Errors
    /// `Unavailable`; nothing has changed then.
    async fn settle(
        &self,
        scope: TenantScope,
        id: BatchId,
        items: Vec<BatchItem>,
        now: UnixMillis,
    ) -> Result<(), StoreError>;

    /// Moves a batch from the first state of `change` to the second.
    ///
    /// # Errors
    /// `Conflict` when it is not in the first; `Unavailable`.
    async fn set_state(
        &self,
        scope: TenantScope,
        id: BatchId,
        change: (BatchState, BatchState),
        now: UnixMillis,
    ) -> Result<(), StoreError>;

    /// Batches of all tenants that owe work at `now`, oldest first, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn owing(&self, now: UnixMillis, limit: usize) -> Result<Vec<Batch>, StoreError>;

    /// Batches that have not ended, oldest first; those that are `Receiving` are left out.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn under_way(&self, scope: TenantScope) -> Result<Vec<Batch>, StoreError>;

    /// Whether a tenant has a batch under way in either mode.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn any_under_way(&self, tenant: TenantId) -> Result<bool, StoreError>;

    /// Removes a batch with its items.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn discard(&self, scope: TenantScope, id: BatchId) -> Result<(), StoreError>;

    /// Removes uploads that were begun before `before` and never came to an end.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn discard_uploads(&self, before: UnixMillis) -> Result<(), StoreError>;

    /// Removes all batches of a tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn discard_all(&self, tenant: TenantId) -> Result<(), StoreError>;
}
