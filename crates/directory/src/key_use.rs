//! When each key was used last: noted in memory with every request, written now and then.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use hermes_domain::{KeyId, UnixMillis};
use hermes_ports::registry::RecordKind;
use serde::{Deserialize, Serialize};

use crate::{
    directory::{Directory, body, record},
    error::DirectoryError,
    snapshot::KeyEntry,
};

/// Shortest time between two writes about one key, in milliseconds.
pub const KEY_USE_EVERY_MS: u64 = 60_000;
/// Most keys written about in one go; the others follow in the next.
const KEYS_MAX: usize = 1_000;

/// When a key was used last. Shared by all snapshots, so that noting it changes none.
#[derive(Debug, Default)]
pub(crate) struct KeyUse {
    /// Milliseconds; 0: never.
    last: AtomicU64,
    /// What of that is on record.
    recorded: AtomicU64,
    /// When that was written.
    written: AtomicU64,
}

#[derive(Serialize, Deserialize)]
struct StoredUse {
    last_used_at: UnixMillis,
}

impl KeyUse {
    pub(crate) fn note(&self, now: UnixMillis) {
        self.last.fetch_max(now.0, Ordering::Relaxed);
    }

    pub(crate) fn last(&self) -> Option<UnixMillis> {
        Some(self.last.load(Ordering::Relaxed)).filter(|at| *at > 0).map(UnixMillis)
    }

    fn known(&self, at: UnixMillis) {
        self.note(at);
        self.recorded.fetch_max(at.0, Ordering::Relaxed);
    }

    fn is_due(&self, now: UnixMillis) -> bool {
        let (last, recorded) = (self.last.load(Ordering::Relaxed), self.recorded.load(Ordering::Relaxed));
        last > recorded && now.since(UnixMillis(self.written.load(Ordering::Relaxed))) >= KEY_USE_EVERY_MS
    }
}

impl Directory {
    /// Writes when keys were used last, for those that were used since and about which nothing was written within the
    /// last minute; returns for how many. Meant for a task of its own: requests never wait for it.
    ///
    /// # Errors
    /// `Store`; what was not written is written by a later call.
    pub async fn record_key_uses(&self, now: UnixMillis) -> Result<usize, DirectoryError> {
        let due = |entry: &&KeyEntry| entry.used.is_due(now);
        let due: Vec<KeyEntry> =
            self.read(|snapshot| snapshot.keys.values().filter(due).take(KEYS_MAX).cloned().collect());
        for entry in &due {
            let Some(last_used_at) = entry.last_used_at() else { continue };
            let record =
                record(RecordKind::KeyUse, entry.key.id.to_string(), &StoredUse { last_used_at }, None);
            self.registry.put(record, None).await?;
            entry.used.recorded.fetch_max(last_used_at.0, Ordering::Relaxed);
            entry.used.written.store(now.0, Ordering::Relaxed);
        }
        Ok(due.len())
    }

    /// What is on record about the uses of keys, by the name of the record.
    pub(crate) async fn recorded_uses(
        &self,
    ) -> Result<std::collections::HashMap<String, UnixMillis>, DirectoryError> {
        let records = self.registry.all(RecordKind::KeyUse).await?;
        let read = |record| body::<StoredUse>(record).map(|used| (record.id.clone(), used.last_used_at));
        records.iter().map(read).collect()
    }

    pub(crate) async fn forget_use(&self, id: KeyId) -> Result<(), DirectoryError> {
        self.registry.delete(RecordKind::KeyUse, &id.to_string()).await?;
        Ok(())
    }
}

/// A use that goes on from what is on record.
pub(crate) fn resumed(known: Option<Arc<KeyUse>>, recorded: Option<UnixMillis>) -> Arc<KeyUse> {
    let used = known.unwrap_or_default();
    if let Some(at) = recorded {
        used.known(at);
    }
    used
}
