//! Cascades.

use std::ops::Bound;

use async_trait::async_trait;
use hermes_domain::{MessageId, cascade::decode};
use hermes_ports::{
    CascadeStore, StoreError,
    cascade_store::{Commit, OpenCascade, Revision, StoredCascade},
    idempotency::ClaimResult,
};

use super::{MemoryBackend, Row, Tables, outbox};

#[async_trait]
impl CascadeStore for MemoryBackend {
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError> {
        self.tables.lock().commit(commit)
    }

    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError> {
        Ok(self.tables.lock().cascades.get(&id).map(|row| row.stored.clone()))
    }

    async fn open(
        &self,
        partition: u8,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError> {
        Ok(self.tables.lock().open(after, limit, |open| open.id.partition() == partition))
    }

    async fn open_all(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<OpenCascade>, StoreError> {
        Ok(self.tables.lock().open(after, limit, |_| true))
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Tables {
    fn commit(&mut self, commit: Commit) -> Result<Revision, StoreError> {
        let damaged = |what: &str| StoreError::Damaged { what: format!("{what} of {}", commit.id) };
        let state = decode(&commit.state).map_err(|_| damaged("state"))?;
        let found = self.cascades.get(&commit.id).map(|row| row.stored.revision);
        if let (None, Some(envelope), Some(claim)) = (commit.expected, &commit.envelope, &commit.claim) {
            let own = |result: &ClaimResult| *result == ClaimResult::Message(commit.id);
            if self.held_claim(claim, envelope.created_at).is_some_and(|held| !own(&held.result)) {
                return Err(StoreError::ClaimTaken);
            }
        }
        if found != commit.expected {
            return Err(StoreError::Conflict);
        }
        let envelope = match (self.cascades.get(&commit.id), commit.envelope) {
            (Some(row), _) => row.stored.envelope.clone(),
            (None, Some(envelope)) => envelope,
            (None, None) => return Err(damaged("envelope")),
        };
        let revision = Revision(found.map_or(1, |found| found.0 + 1));
        let open = commit.due.map(|due| OpenCascade { id: commit.id, due, owes_effect: commit.owes_effect });
        let stored = StoredCascade { envelope, state, revision };
        self.cascades.insert(commit.id, Row { stored, open });
        if let Some(claim) = commit.claim {
            self.put_claim(claim);
        }
        for entry in commit.outbox {
            let key = (entry.endpoint, entry.event);
            self.outbox.entry(key).or_insert_with(|| outbox::pending(entry));
        }
        self.count(commit.usage);
        if let Some(consumed) = commit.consumed {
            self.unpark(consumed);
        }
        Ok(revision)
    }

    fn open(
        &self,
        after: Option<MessageId>,
        limit: usize,
        wanted: impl Fn(&OpenCascade) -> bool,
    ) -> Vec<OpenCascade> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        let rows = self.cascades.range((from, Bound::Unbounded));
        rows.filter_map(|(_, row)| row.open).filter(wanted).take(limit).collect()
    }
}
