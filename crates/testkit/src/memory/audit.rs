//! Who did what.

use async_trait::async_trait;
use hermes_ports::{
    AuditLog, AuditRead, StoreError,
    audit::{AuditEntry, AuditEvent, AuditHead, AuditQuery, GENESIS, link},
};

use super::MemoryBackend;

#[async_trait]
impl AuditLog for MemoryBackend {
    async fn append(&self, event: AuditEvent) -> Result<AuditEntry, StoreError> {
        let mut tables = self.tables.lock();
        let (sequence, previous) =
            tables.audit.last().map_or((1, GENESIS), |last| (last.sequence + 1, last.hash));
        let entry = AuditEntry { sequence, hash: link(&previous, sequence, &event), event };
        tables.audit.push(entry.clone());
        Ok(entry)
    }
}

#[async_trait]
impl AuditRead for MemoryBackend {
    async fn list(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let tables = self.tables.lock();
        let wanted = tables.audit.iter().rev().filter(|entry| query.matches(entry));
        Ok(wanted.take(query.limit + 1).cloned().collect())
    }

    async fn after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        let tables = self.tables.lock();
        Ok(tables.audit.iter().filter(|entry| entry.sequence > after).take(limit).cloned().collect())
    }

    async fn head(&self) -> Result<Option<AuditHead>, StoreError> {
        let head = |entry: &AuditEntry| AuditHead { sequence: entry.sequence, hash: entry.hash };
        Ok(self.tables.lock().audit.last().map(head))
    }
}
