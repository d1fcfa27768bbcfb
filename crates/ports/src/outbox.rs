//! Webhooks owed to tenants.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, MessageId, UnixMillis};

use crate::store_error::StoreError;

/// One notification for one endpoint. Committed with the decision that caused it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxEntry {
    /// To whom.
    pub endpoint: EndpointId,
    /// Constant over retries; `(endpoint, event)` is unique.
    pub event: EventId,
    /// About which message.
    pub message: MessageId,
    /// Such as `message.delivered`.
    pub event_type: &'static str,
    /// JSON body, never with content or addresses.
    pub body: String,
    /// When it happened.
    pub created_at: UnixMillis,
}

/// Where a delivery stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DeliveryStatus {
    /// To be tried (again).
    Pending,
    /// Answered 2xx.
    Delivered,
    /// Given up.
    Failed,
}

/// A notification with its history.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    /// To whom.
    pub endpoint: EndpointId,
    /// Which event.
    pub event: EventId,
    /// About which message.
    pub message: MessageId,
    /// Such as `message.delivered`.
    pub event_type: String,
    /// JSON body.
    pub body: String,
    /// When it happened.
    pub created_at: UnixMillis,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// Tries so far.
    pub attempts: u16,
    /// When to try next; meaningful while pending.
    pub next_at: UnixMillis,
    /// Status code of the last answer.
    pub last_status: Option<u16>,
    /// What went wrong last, without content.
    pub last_error: Option<String>,
}

/// What became of one try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DeliveryUpdate {
    /// To whom.
    pub endpoint: EndpointId,
    /// Which event.
    pub event: EventId,
    /// Where it stands now.
    pub status: DeliveryStatus,
    /// Tries so far, this one included.
    pub attempts: u16,
    /// When to try next.
    pub next_at: UnixMillis,
    /// Status code of the answer.
    pub last_status: Option<u16>,
    /// What went wrong.
    pub last_error: Option<String>,
}

/// Keeps notifications until they are delivered, and as a log afterwards.
#[async_trait]
pub trait Outbox: Send + Sync + fmt::Debug {
    /// Pending deliveries of an endpoint, earliest `next_at` first, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn pending(&self, endpoint: EndpointId, limit: usize) -> Result<Vec<Delivery>, StoreError>;

    /// Adds notifications that no commit of a message brings. One that is there already stays as it is.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn owe(&self, entries: Vec<OutboxEntry>) -> Result<(), StoreError>;

    /// Records tries. Unknown entries are ignored.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record(&self, updates: Vec<DeliveryUpdate>) -> Result<(), StoreError>;

    /// Deliveries of an endpoint, newest event first, before `before`, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(
        &self,
        endpoint: EndpointId,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError>;

    /// Makes finished deliveries since `since` pending again, or only counts them. Returns how many.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn redeliver(
        &self,
        endpoint: EndpointId,
        since: UnixMillis,
        dry_run: bool,
    ) -> Result<u64, StoreError>;
}

/// Tells endpoint actors about entries that have just become durable.
pub trait WebhookNotifier: Send + Sync + fmt::Debug {
    /// Never waits; what does not fit is found in the outbox later.
    fn notify(&self, entries: Vec<OutboxEntry>);
}
