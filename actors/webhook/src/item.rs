//! A notification in memory.

use std::fmt;

use bytes::Bytes;
use hermes_domain::{EventId, UnixMillis};
use hermes_ports::outbox::{Delivery, OutboxEntry};

/// What a try needs. `Debug` does not show the body.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Item {
    /// Constant over retries.
    pub(crate) event: EventId,
    pub(crate) body: Bytes,
    /// Tries so far.
    pub(crate) attempts: u16,
    /// When to try.
    pub(crate) next_at: UnixMillis,
}

impl From<OutboxEntry> for Item {
    fn from(entry: OutboxEntry) -> Self {
        let OutboxEntry { event, body, created_at, .. } = entry;
        Self { event, body: body.into(), attempts: 0, next_at: created_at }
    }
}

impl From<Delivery> for Item {
    fn from(delivery: Delivery) -> Self {
        let Delivery { event, body, attempts, next_at, .. } = delivery;
        Self { event, body: body.into(), attempts, next_at }
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Item")
            .field("event", &self.event)
            .field("attempts", &self.attempts)
            .field("next_at", &self.next_at)
            .finish_non_exhaustive()
    }
}
