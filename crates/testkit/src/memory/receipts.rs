//! Parked receipts.

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{ConnectionId, UnixMillis};
use hermes_ports::{
    ReceiptInbox, StoreError,
    receipt_inbox::{PARKED_MAX, Parked, ParkedId, ParkedKind},
};

use super::{MemoryBackend, Tables};

/// What makes two receipts the same.
pub(super) type Content = (u8, ConnectionId, String, Bytes);

fn content(receipt: &Parked) -> Content {
    (receipt.kind as u8, receipt.connection, receipt.key.clone(), receipt.body.clone())
}

impl Tables {
    /// Forgets a receipt; unknown ids are ignored.
    pub(super) fn unpark(&mut self, id: ParkedId) {
        if let Some(receipt) = self.parked.remove(&id) {
            self.parked_once.remove(&content(&receipt));
        }
    }
}

#[async_trait]
impl ReceiptInbox for MemoryBackend {
    async fn park(&self, receipt: Parked) -> Result<ParkedId, StoreError> {
        let mut tables = self.tables.lock();
        if let Some(id) = tables.parked_once.get(&content(&receipt)) {
            return Ok(*id);
        }
        let alike = |parked: &&Parked| (parked.kind, parked.connection) == (receipt.kind, receipt.connection);
        // Counting is slow, but only needed once there are enough of all kinds.
        if tables.parked.len() >= PARKED_MAX && tables.parked.values().filter(alike).count() >= PARKED_MAX {
            return Err(StoreError::Full);
        }
        tables.parked_last += 1;
        let id = ParkedId(tables.parked_last);
        tables.parked_once.insert(content(&receipt), id);
        tables.parked.insert(id, receipt);
        Ok(id)
    }

    async fn waiting_for(
        &self,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        let tables = self.tables.lock();
        let wanted = |parked: &Parked| {
            parked.kind == ParkedKind::Orphan && parked.connection == connection && parked.key == key
        };
        let found = tables.parked.iter().filter(|(_, parked)| wanted(parked));
        Ok(found.take(100).map(|(id, parked)| (*id, parked.clone())).collect())
    }

    async fn list(
        &self,
        kind: ParkedKind,
        after: Option<ParkedId>,
        limit: usize,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        let tables = self.tables.lock();
        let after = after.unwrap_or(ParkedId(0));
        let found = tables.parked.iter().filter(|(id, parked)| parked.kind == kind && **id > after);
        Ok(found.take(limit).map(|(id, parked)| (*id, parked.clone())).collect())
    }

    async fn remove(&self, id: ParkedId) -> Result<(), StoreError> {
        self.tables.lock().unpark(id);
        Ok(())
    }

    async fn prune(&self, before: UnixMillis) -> Result<u64, StoreError> {
        let mut tables = self.tables.lock();
        let old = tables.parked.iter().filter(|(_, parked)| parked.received_at < before);
        let old: Vec<_> = old.map(|(id, _)| *id).collect();
        old.iter().for_each(|id| tables.unpark(*id));
        Ok(old.len() as u64)
    }
}
