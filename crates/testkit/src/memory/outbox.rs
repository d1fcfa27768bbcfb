//! Webhooks owed to tenants.

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, UnixMillis};
use hermes_ports::{
    Outbox, StoreError,
    outbox::{Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry},
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
            if let Some(delivery) = tables.outbox.get_mut(&(update.endpoint, update.event)) {
                delivery.status = update.status;
                delivery.attempts = update.attempts;
                delivery.next_at = update.next_at;
                delivery.last_status = update.last_status;
                delivery.last_error = update.last_error;
            }
        }
        Ok(())
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
        Ok(newest_first.take(limit).cloned().collect())
    }

    async fn redeliver(
        &self,
        endpoint: EndpointId,
        since: UnixMillis,
        dry_run: bool,
    ) -> Result<u64, StoreError> {
        let (now, mut count) = (self.now(), 0);
        for ((owner, _), delivery) in &mut self.tables.lock().outbox {
            let finished = delivery.status != DeliveryStatus::Pending;
            if *owner == endpoint && delivery.created_at >= since && finished {
                count += 1;
                if !dry_run {
                    delivery.status = DeliveryStatus::Pending;
                    delivery.attempts = 0;
                    delivery.next_at = now;
                }
            }
        }
        Ok(count)
    }
}

impl Tables {
    fn deliveries(&self, endpoint: EndpointId) -> impl DoubleEndedIterator<Item = &Delivery> {
        let (first, last) = (EventId::from_u128(0), EventId::from_u128(u128::MAX));
        self.outbox.range((endpoint, first)..=(endpoint, last)).map(|(_, delivery)| delivery)
    }
}
