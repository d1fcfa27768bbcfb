//! Where outcomes and receipts end up.

use async_trait::async_trait;
use hermes_domain::{ConnectionId, MessageId, UnixMillis, cascade::Event};
use hermes_ports::{
    CascadeInbox, ReceiptInbox, StoreError,
    cascade_inbox::{DeliverError, Delivered},
    receipt_inbox::{Parked, ParkedId, ParkedKind},
};
use parking_lot::Mutex;
use tokio::sync::Notify;

type Event3 = (MessageId, Event, Option<ParkedId>);

/// Keeps every event; refuses as often as it is told.
#[derive(Debug, Default)]
pub(crate) struct FakeInbox {
    pub(crate) events: Mutex<Vec<Event3>>,
    pub(crate) refusals: Mutex<u32>,
    changed: Notify,
}

impl FakeInbox {
    /// Waits for `count` events and returns all there are.
    pub(crate) async fn events(&self, count: usize) -> Vec<Event3> {
        loop {
            let changed = self.changed.notified();
            let events = self.events.lock().clone();
            if events.len() >= count {
                return events;
            }
            changed.await;
        }
    }
}

#[async_trait]
impl CascadeInbox for FakeInbox {
    async fn deliver(
        &self,
        id: MessageId,
        event: Event,
        consumed: Option<ParkedId>,
    ) -> Result<Delivered, DeliverError> {
        {
            let mut refusals = self.refusals.lock();
            if *refusals > 0 {
                *refusals -= 1;
                return Err(DeliverError::Retry);
            }
        }
        self.events.lock().push((id, event, consumed));
        self.changed.notify_waiters();
        Ok(Delivered::Applied)
    }
}

/// Parked receipts in memory.
#[derive(Debug, Default)]
pub(crate) struct FakeReceipts {
    parked: Mutex<Vec<(ParkedId, Parked)>>,
    pub(crate) questions: Mutex<Vec<String>>,
}

pub(crate) fn orphan(connection: ConnectionId, key: &str, body: &[u8]) -> Parked {
    Parked {
        kind: ParkedKind::Orphan,
        connection,
        key: key.to_owned(),
        body: body.to_vec().into(),
        received_at: UnixMillis(0),
    }
}

#[async_trait]
impl ReceiptInbox for FakeReceipts {
    async fn park(&self, receipt: Parked) -> Result<ParkedId, StoreError> {
        let mut parked = self.parked.lock();
        let id = ParkedId(parked.last().map_or(1, |(id, _)| id.0 + 1));
        parked.push((id, receipt));
        Ok(id)
    }

    async fn waiting_for(
        &self,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        self.questions.lock().push(key.to_owned());
        let fits = |parked: &&(ParkedId, Parked)| parked.1.connection == connection && parked.1.key == key;
        Ok(self.parked.lock().iter().filter(fits).cloned().collect())
    }

    async fn list(
        &self,
        kind: ParkedKind,
        after: Option<ParkedId>,
        limit: usize,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        let parked = self.parked.lock();
        let fits = |entry: &&(ParkedId, Parked)| entry.1.kind == kind && Some(entry.0) > after;
        Ok(parked.iter().filter(fits).take(limit).cloned().collect())
    }

    async fn remove(&self, id: ParkedId) -> Result<(), StoreError> {
        self.parked.lock().retain(|(parked, _)| *parked != id);
        Ok(())
    }

    async fn prune(&self, _: UnixMillis) -> Result<u64, StoreError> {
        Ok(0)
    }
}
