//! Records.

use async_trait::async_trait;
use hermes_ports::{
    Registry, StoreError,
    registry::{Record, RecordKind},
};

use super::MemoryBackend;

#[async_trait]
impl Registry for MemoryBackend {
    async fn put(&self, record: Record, expected: Option<u64>) -> Result<u64, StoreError> {
        let mut tables = self.tables.lock();
        let key = (record.kind.as_str(), record.id.clone());
        let found = tables.records.get(&key).map_or(0, |record| record.version);
        if expected.is_some_and(|expected| expected != found) {
            return Err(StoreError::Conflict);
        }
        tables.records.insert(key, Record { version: found + 1, ..record });
        Ok(found + 1)
    }

    async fn all(&self, kind: RecordKind) -> Result<Vec<Record>, StoreError> {
        let tables = self.tables.lock();
        Ok(tables.records.values().filter(|record| record.kind == kind).cloned().collect())
    }

    async fn get(&self, kind: RecordKind, id: &str) -> Result<Option<Record>, StoreError> {
        Ok(self.tables.lock().records.get(&(kind.as_str(), id.to_owned())).cloned())
    }

    async fn delete(&self, kind: RecordKind, id: &str) -> Result<bool, StoreError> {
        Ok(self.tables.lock().records.remove(&(kind.as_str(), id.to_owned())).is_some())
    }
}
