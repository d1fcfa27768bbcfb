//! An outbox in memory.

use std::collections::BTreeMap;

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, UnixMillis, failure_streak::FailureStreak};
use hermes_ports::{
    Outbox, StoreError,
    outbox::{Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry, Redelivered, Selection},
};
use parking_lot::Mutex;

#[derive(Debug, Default)]
pub(crate) struct FakeOutbox {
    pub(crate) rows: Mutex<BTreeMap<(EndpointId, EventId), Delivery>>,
    /// Endpoints that are failing.
    pub(crate) failing: Mutex<BTreeMap<EndpointId, FailureStreak>>,
    /// Sizes of the batches recorded.
    pub(crate) batches: Mutex<Vec<usize>>,
    /// Sizes of the readings made.
    pub(crate) readings: Mutex<Vec<usize>>,
    /// How many of the next calls fail.
    pub(crate) failures: Mutex<u32>,
}

impl FakeOutbox {
    /// Commits entries, as the store does before they are announced.
    pub(crate) fn commit(&self, entries: &[OutboxEntry]) {
        let mut rows = self.rows.lock();
        for entry in entries {
            let delivery = Delivery {
                endpoint: entry.endpoint,
                event: entry.event,
                message: entry.message,
                event_type: entry.event_type.to_owned(),
                body: entry.body.clone(),
                created_at: entry.created_at,
                status: DeliveryStatus::Pending,
                attempts: 0,
                next_at: entry.created_at,
                last_status: None,
                last_error: None,
            };
            rows.entry((entry.endpoint, entry.event)).or_insert(delivery);
        }
    }

    pub(crate) fn count(&self, status: DeliveryStatus) -> usize {
        self.rows.lock().values().filter(|row| row.status == status).count()
    }

    pub(crate) fn row(&self, endpoint: EndpointId, event: EventId) -> Delivery {
        self.rows.lock()[&(endpoint, event)].clone()
    }

    fn fail(&self) -> Result<(), StoreError> {
        let mut failures = self.failures.lock();
        if *failures == 0 {
            return Ok(());
        }
        *failures -= 1;
        Err(StoreError::Unavailable { attempted: "testing", cause: "scripted".into() })
    }
}

#[async_trait]
impl Outbox for FakeOutbox {
    async fn pending(&self, endpoint: EndpointId, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        self.fail()?;
        let mut pending: Vec<_> = self
            .rows
            .lock()
            .values()
            .filter(|row| row.endpoint == endpoint && row.status == DeliveryStatus::Pending)
            .cloned()
            .collect();
        pending.sort_by_key(|row| (row.next_at, row.event));
        pending.truncate(limit);
        self.readings.lock().push(pending.len());
        // The answer is on its way for a while, during which other things happen.
        tokio::time::sleep(std::time::Duration::from_millis(40)).await;
        Ok(pending)
    }

    async fn owe(&self, entries: Vec<OutboxEntry>) -> Result<(), StoreError> {
        self.commit(&entries);
        Ok(())
    }

    async fn record(&self, updates: Vec<DeliveryUpdate>) -> Result<(), StoreError> {
        self.fail()?;
        self.batches.lock().push(updates.len());
        let mut rows = self.rows.lock();
        for update in updates {
            if let Some(row) = rows.get_mut(&(update.endpoint, update.event)) {
                (row.status, row.attempts, row.next_at) = (update.status, update.attempts, update.next_at);
                (row.last_status, row.last_error) = (update.last_status, update.last_error);
            }
            let mut failing = self.failing.lock();
            let before = failing.remove(&update.endpoint);
            if update.status != DeliveryStatus::Delivered {
                failing.insert(update.endpoint, FailureStreak::after(before, update.at));
            }
        }
        Ok(())
    }

    async fn failures(&self, endpoint: EndpointId) -> Result<Option<FailureStreak>, StoreError> {
        Ok(self.failing.lock().get(&endpoint).copied())
    }

    async fn restart(&self, endpoint: EndpointId) -> Result<u64, StoreError> {
        self.failing.lock().remove(&endpoint);
        let mut rows = self.rows.lock();
        let pending =
            rows.values_mut().filter(|row| row.endpoint == endpoint && row.status == DeliveryStatus::Pending);
        Ok(pending.map(|row| (row.attempts, row.next_at) = (0, UnixMillis(0))).count() as u64)
    }

    async fn list(&self, _: EndpointId, _: Option<EventId>, _: usize) -> Result<Vec<Delivery>, StoreError> {
        Ok(Vec::new())
    }

    async fn redeliverable(&self, _: EndpointId, _: Selection) -> Result<u64, StoreError> {
        Ok(0)
    }

    async fn redeliver(
        &self,
        endpoint: EndpointId,
        _: Selection,
        _: usize,
    ) -> Result<Redelivered, StoreError> {
        let mut rows = self.rows.lock();
        let finished =
            rows.values_mut().filter(|row| row.endpoint == endpoint && row.status != DeliveryStatus::Pending);
        let count = finished.map(|row| (row.status, row.attempts) = (DeliveryStatus::Pending, 0)).count();
        Ok(Redelivered { count: count as u64, next_since: None })
    }
}
