//! Parked receipts.

use async_trait::async_trait;
use hermes_domain::{ConnectionId, UnixMillis};
use hermes_ports::{
    ReceiptInbox, StoreError,
    receipt_inbox::{PARKED_MAX, Parked, ParkedId, ParkedKind},
};

use super::MemoryBackend;

#[async_trait]
impl ReceiptInbox for MemoryBackend {
    async fn park(&self, receipt: Parked) -> Result<ParkedId, StoreError> {
        let mut tables = self.tables.lock();
        let same = |parked: &Parked| {
            (parked.kind, parked.connection, &parked.key, &parked.body)
                == (receipt.kind, receipt.connection, &receipt.key, &receipt.body)
        };
        if let Some((id, _)) = tables.parked.iter().find(|(_, parked)| same(parked)) {
            return Ok(*id);
        }
        let alike = |parked: &&Parked| (parked.kind, parked.connection) == (receipt.kind, receipt.connection);
        if tables.parked.values().filter(alike).count() >= PARKED_MAX {
            return Err(StoreError::Full);
        }
        tables.parked_last += 1;
        let id = ParkedId(tables.parked_last);
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
        self.tables.lock().parked.remove(&id);
        Ok(())
    }

    async fn prune(&self, before: UnixMillis) -> Result<u64, StoreError> {
        let mut tables = self.tables.lock();
        let count = tables.parked.len();
        tables.parked.retain(|_, parked| parked.received_at >= before);
        Ok((count - tables.parked.len()) as u64)
    }
}
