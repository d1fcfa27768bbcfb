//! Webhooks owed to tenants.

use std::{collections::BTreeMap, fmt};

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, MessageId, UnixMillis, failure_streak::FailureStreak};

use crate::store_error::StoreError;

/// One notification for one endpoint. Committed with the decision that caused it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OutboxEntry {
    /// To whom.
    pub endpoint: EndpointId,
    /// Constant over retries; `(endpoint, event)` is unique.
    pub event: EventId,
    /// About which message; `None` for an event about the service.
    pub message: Option<MessageId>,
    /// Such as `message.delivered`.
    pub event_type: &'static str,
    /// JSON body, never with content or addresses. Where its message has metadata, it says `"metadata":null` instead: that
    /// is personal, kept with the message alone, and told when the body is ([`with_metadata`]).
    pub body: String,
    /// When it happened.
    pub created_at: UnixMillis,
}

impl OutboxEntry {
    /// The entry as it is told at once, while the message is at hand.
    #[must_use]
    pub fn told(&self, metadata: &BTreeMap<String, String>) -> Self {
        let mut told = self.clone();
        if lacks_metadata(&told.body) {
            told.body = with_metadata(&told.body, metadata);
        }
        told
    }
}

/// What stands for the metadata of a message that has some. It is in no text of a body, where quotes are escaped.
const METADATA_LATER: &str = r#""metadata":null"#;

/// Whether a body still needs the metadata of its message.
pub fn lacks_metadata(body: &str) -> bool {
    body.contains(METADATA_LATER)
}

/// The body as it is told. Without metadata, or once it is erased, `metadata` is an empty object.
///
/// # Panics
/// Never: texts always serialise.
#[must_use]
pub fn with_metadata(body: &str, metadata: &BTreeMap<String, String>) -> String {
    #[expect(clippy::expect_used, reason = "texts with text keys: there is no case that fails")]
    let json = serde_json::to_string(metadata).expect("texts serialise");
    body.replacen(METADATA_LATER, &format!(r#""metadata":{json}"#), 1)
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
    /// About which message; `None` for an event about the service.
    pub message: Option<MessageId>,
    /// Such as `message.delivered`.
    pub event_type: String,
    /// JSON body as it is told, with the metadata that the message has now.
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
    /// When the try ended.
    pub at: UnixMillis,
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

/// What of an endpoint's log is to be delivered again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Selection {
    /// Finished deliveries of events that happened at this time or later.
    Since(UnixMillis),
    /// The delivery of this event, finished or not.
    Event(EventId),
}

/// What became of a request to deliver again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Redelivered {
    /// Deliveries that are pending now.
    pub count: u64,
    /// When the earliest event happened that did not fit; `None` when all did.
    pub next_since: Option<UnixMillis>,
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

    /// Records tries, and with them how long their endpoints have been failing. Unknown entries are ignored.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn record(&self, updates: Vec<DeliveryUpdate>) -> Result<(), StoreError>;

    /// Failures of an endpoint since its last success, as recorded; `None` when its last try succeeded.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn failures(&self, endpoint: EndpointId) -> Result<Option<FailureStreak>, StoreError>;

    /// Gives an endpoint a fresh start: its failures are forgotten, and what is pending is due now and has its
    /// whole schedule before it. Returns how much that is.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn restart(&self, endpoint: EndpointId) -> Result<u64, StoreError>;

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

    /// Counts what [`Self::redeliver`] would make pending without a limit.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn redeliverable(&self, endpoint: EndpointId, what: Selection) -> Result<u64, StoreError>;

    /// Makes deliveries pending again, due now and with their whole schedule: the earliest events first, at most
    /// `limit`. Their events stay the same.
    ///
    /// # Errors
    /// `Unavailable`; some of them may be pending then.
    async fn redeliver(
        &self,
        endpoint: EndpointId,
        what: Selection,
        limit: usize,
    ) -> Result<Redelivered, StoreError>;
}

/// Tells endpoint actors about entries that have just become durable.
pub trait WebhookNotifier: Send + Sync + fmt::Debug {
    /// Never waits; what does not fit is found in the outbox later.
    fn notify(&self, entries: Vec<OutboxEntry>);
    /// The outbox holds something for this endpoint that was not announced, such as redeliveries. Never waits.
    fn look(&self, endpoint: EndpointId);
}
