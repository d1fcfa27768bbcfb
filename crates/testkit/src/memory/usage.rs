//! Counts.

use async_trait::async_trait;
use hermes_domain::usage::{UsageCounts, UsageEntry, UsageKey};
use hermes_ports::{StoreError, UsageLog, usage_log::UsageQuery};

use super::{MemoryBackend, Tables};

impl Tables {
    pub(super) fn count(&mut self, entries: Vec<UsageEntry>) {
        for UsageEntry { key, counts } in entries {
            self.usage.entry(key).or_default().add(counts, 1);
        }
    }
}

#[async_trait]
impl UsageLog for MemoryBackend {
    async fn counts(
        &self,
        query: UsageQuery,
        limit: usize,
    ) -> Result<Vec<(UsageKey, UsageCounts)>, StoreError> {
        let tables = self.tables.lock();
        let wanted = |key: &&UsageKey| {
            (query.from_day..=query.to_day).contains(&key.day)
                && query.scope.is_none_or(|scope| scope == key.scope)
        };
        let found = tables.usage.iter().filter(|(key, _)| wanted(key));
        Ok(found.map(|(key, counts)| (key.clone(), *counts)).take(limit).collect())
    }
}
