//! Webhooks owed to tenants.

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, UnixMillis, failure_streak::FailureStreak};
use hermes_ports::{
    Outbox, StoreError,
    outbox::{
        Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry, Redelivered, Selection, lacks_metadata,
        with_metadata,
    },
};

use super::{MemoryBackend, Tables};

/// An entry that was never tried.
pub(super) fn pending(entry: OutboxEntry) -> Delivery {
    Delivery {
        endpoint: entry.endpoint,
        event: entry.event,
        message: entry.message,
        event_type: entry.event_type.to_owned(),
        body: entry.body,
        created_at: entry.created_at,
        status: DeliveryStatus::Pending,
        attempts: 0,
        next_at: entry.created_at,
        last_status: None,
        last_error: None,
    }
}

#[async_trait]
impl Outbox for MemoryBackend {
    async fn pending(&self, endpoint: EndpointId, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let tables = self.tables.lock();
        let pending =
            tables.deliveries(endpoint).filter(|delivery| delivery.status == DeliveryStatus::Pending);
        let mut pending: Vec<_> = pending.cloned().collect();
        pending.sort_by_key(|delivery| (delivery.next_at, delivery.event));
        pending.truncate(limit);
        tables.tell_metadata(&mut pending);
        Ok(pending)
    }

    async fn owe(&self, entries: Vec<OutboxEntry>) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        for entry in entries {
            tables.outbox.entry((entry.endpoint, entry.event)).or_insert_with(|| pending(entry));
        }
        Ok(())
    }

    async fn record(&self, updates: Vec<DeliveryUpdate>) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        for update in updates {
            let Some(delivery) = tables.outbox.get_mut(&(update.endpoint, update.event)) else { continue };
            delivery.status = update.status;
            delivery.attempts = update.attempts;
            delivery.next_at = update.next_at;
            delivery.last_status = update.last_status;
            delivery.last_error = update.last_error;
            let before = tables.webhook_failures.remove(&update.endpoint);
            if update.status != DeliveryStatus::Delivered {
                tables.webhook_failures.insert(update.endpoint, FailureStreak::after(before, update.at));
            }
        }
        Ok(())
    }

    async fn failures(&self, endpoint: EndpointId) -> Result<Option<FailureStreak>, StoreError> {
        Ok(self.tables.lock().webhook_failures.get(&endpoint).copied())
    }

    async fn restart(&self, endpoint: EndpointId) -> Result<u64, StoreError> {
        let (now, mut tables) = (self.now(), self.tables.lock());
        tables.webhook_failures.remove(&endpoint);
        let mut count = 0;
        for ((owner, _), delivery) in &mut tables.outbox {
            if *owner == endpoint && delivery.status == DeliveryStatus::Pending {
                (delivery.attempts, delivery.next_at) = (0, now);
                count += 1;
            }
        }
        Ok(count)
    }

    async fn list(
        &self,
        endpoint: EndpointId,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let tables = self.tables.lock();
        let older = |delivery: &&Delivery| before.is_none_or(|before| delivery.event < before);
        let newest_first = tables.deliveries(endpoint).rev().filter(older);
        let mut found: Vec<_> = newest_first.take(limit).cloned().collect();
        tables.tell_metadata(&mut found);
        Ok(found)
    }

    async fn redeliverable(&self, endpoint: EndpointId, what: Selection) -> Result<u64, StoreError> {
        Ok(self.tables.lock().selected(endpoint, what).len() as u64)
    }

    async fn redeliver(
        &self,
        endpoint: EndpointId,
        what: Selection,
        limit: usize,
    ) -> Result<Redelivered, StoreError> {
        let (now, mut tables) = (self.now(), self.tables.lock());
        let mut selected = tables.selected(endpoint, what);
        let next_since = selected.get(limit).map(|(created_at, _)| *created_at);
        selected.truncate(limit);
        for (_, event) in &selected {
            if let Some(delivery) = tables.outbox.get_mut(&(endpoint, *event)) {
                delivery.status = DeliveryStatus::Pending;
                delivery.attempts = 0;
                delivery.next_at = now;
            }
        }
        Ok(Redelivered { count: selected.len() as u64, next_since })
    }
}

impl Tables {
    /// Completes bodies with what the messages' metadata are now.
    fn tell_metadata(&self, deliveries: &mut [Delivery]) {
        for delivery in deliveries.iter_mut().filter(|delivery| lacks_metadata(&delivery.body)) {
            let message = delivery.message.and_then(|message| self.cascades.get(&message));
            let metadata = message.map(|row| row.stored.envelope.metadata.clone()).unwrap_or_default();
            delivery.body = with_metadata(&delivery.body, &metadata);
        }
    }

    fn deliveries(&self, endpoint: EndpointId) -> impl DoubleEndedIterator<Item = &Delivery> {
        let (first, last) = (EventId::from_u128(0), EventId::from_u128(u128::MAX));
        self.outbox.range((endpoint, first)..=(endpoint, last)).map(|(_, delivery)| delivery)
    }

    /// What a selection names, earliest first.
    fn selected(&self, endpoint: EndpointId, what: Selection) -> Vec<(UnixMillis, EventId)> {
        let named = |delivery: &&Delivery| match what {
            Selection::Since(since) => {
                delivery.created_at >= since && delivery.status != DeliveryStatus::Pending
            }
            Selection::Event(event) => delivery.event == event,
        };
        let found = self.deliveries(endpoint).filter(named);
        let mut found: Vec<_> = found.map(|delivery| (delivery.created_at, delivery.event)).collect();
        found.sort_unstable();
        found
    }
}
