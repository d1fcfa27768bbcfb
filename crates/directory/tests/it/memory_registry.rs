//! A registry in memory, with a switch that makes writes fail.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use hermes_ports::{
    Registry, StoreError,
    registry::{Record, RecordKind},
};
use parking_lot::Mutex;

#[derive(Debug, Default)]
pub(crate) struct MemoryRegistry {
    records: Mutex<BTreeMap<(&'static str, String), Record>>,
    broken: AtomicBool,
}

impl MemoryRegistry {
    pub(crate) fn break_down(&self) {
        self.broken.store(true, Ordering::Relaxed);
    }

    /// Everything that is stored, as text that can be searched.
    pub(crate) fn dump(&self) -> String {
        let text = |record: &Record| {
            let secret = record.secret.as_deref().unwrap_or_default();
            format!(
                "{} {} {}\n",
                record.id,
                String::from_utf8_lossy(&record.body),
                String::from_utf8_lossy(secret)
            )
        };
        self.records.lock().values().map(text).collect()
    }

    fn check(&self) -> Result<(), StoreError> {
        if self.broken.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { attempted: "writing", cause: "broken".into() });
        }
        Ok(())
    }
}

#[async_trait]
impl Registry for MemoryRegistry {
    async fn put(&self, mut record: Record, expected: Option<u64>) -> Result<u64, StoreError> {
        self.check()?;
        let mut records = self.records.lock();
        let key = (record.kind.as_str(), record.id.clone());
        let version = records.get(&key).map_or(0, |stored| stored.version);
        if expected.is_some_and(|expected| expected != version) {
            return Err(StoreError::Conflict);
        }
        record.version = version + 1;
        records.insert(key, record);
        Ok(version + 1)
    }

    async fn all(&self, kind: RecordKind) -> Result<Vec<Record>, StoreError> {
        Ok(self.records.lock().values().filter(|record| record.kind == kind).cloned().collect())
    }

    async fn get(&self, kind: RecordKind, id: &str) -> Result<Option<Record>, StoreError> {
        Ok(self.records.lock().get(&(kind.as_str(), id.to_owned())).cloned())
    }

    async fn delete(&self, kind: RecordKind, id: &str) -> Result<bool, StoreError> {
        self.check()?;
        Ok(self.records.lock().remove(&(kind.as_str(), id.to_owned())).is_some())
    }
}
