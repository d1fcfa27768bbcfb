//! Which parked receipts wait for a message or a provider's id.
//!
//! Almost no outcome has an orphan, so the outcome's path must not ask the store. Whoever parks a receipt
//! does so through [`WatchedReceipts`], which remembers a hash of its key. The index is read anew from
//! time to time for what others parked (an earlier process, another node) and for what has gone.

use std::{
    collections::hash_map::RandomState,
    hash::BuildHasher,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use async_trait::async_trait;
use dashmap::DashMap;
use hermes_domain::{ConnectionId, UnixMillis};
use hermes_ports::{
    ReceiptInbox, StoreError,
    receipt_inbox::{Parked, ParkedId, ParkedKind},
};

/// Most keys remembered; beyond them every outcome asks the store.
const KEYS_MAX: usize = 200_000;
/// Receipts read at a time.
const PAGE: usize = 1_000;

/// Hashes of the keys of parked orphans.
#[derive(Debug)]
pub(crate) struct OrphanIndex {
    hasher: RandomState,
    /// Hash of (connection, key), with the reading during which it was last seen.
    keys: DashMap<u64, u64>,
    reading: AtomicU64,
    /// Complete unless zero: how many keys are missing, at least.
    missing: AtomicU64,
}

/// A receipt inbox that tells the index what is parked in it.
#[derive(Debug)]
pub(crate) struct WatchedReceipts {
    inner: Arc<dyn ReceiptInbox>,
    index: Arc<OrphanIndex>,
}

impl OrphanIndex {
    /// An index that is incomplete until it has been read once.
    pub(crate) fn new() -> Self {
        Self {
            hasher: RandomState::new(),
            keys: DashMap::new(),
            reading: AtomicU64::new(1),
            missing: AtomicU64::new(1),
        }
    }

    /// Whether an orphan may wait for `key`.
    pub(crate) fn may_wait(&self, connection: ConnectionId, key: &str) -> bool {
        if self.missing.load(Ordering::Acquire) > 0 {
            return true;
        }
        // The common case is that there are none at all: do not even hash.
        !self.keys.is_empty() && self.keys.contains_key(&self.hash(connection, key))
    }

    fn note(&self, connection: ConnectionId, key: &str) {
        if self.keys.len() >= KEYS_MAX {
            self.missing.fetch_add(1, Ordering::AcqRel);
            return;
        }
        self.keys.insert(self.hash(connection, key), self.reading.load(Ordering::Acquire));
    }

    /// Reads the index anew.
    ///
    /// # Errors
    /// The store's; the index then stays as it was.
    pub(crate) async fn read(&self, receipts: &dyn ReceiptInbox) -> Result<(), StoreError> {
        let missing_before = self.missing.load(Ordering::Acquire);
        let this = self.reading.fetch_add(1, Ordering::AcqRel) + 1;
        let (mut after, mut seen) = (None, 0);
        loop {
            let page = receipts.list(ParkedKind::Orphan, after, PAGE).await?;
            for (_, parked) in &page {
                self.keys.insert(self.hash(parked.connection, &parked.key), this);
            }
            seen += page.len();
            after = page.last().map(|(id, _)| *id);
            if page.len() < PAGE || seen >= KEYS_MAX {
                break;
            }
        }
        // A key noted just before this reading may have been parked just after it passed.
        self.keys.retain(|_, last_seen| *last_seen + 1 >= this);
        if seen < KEYS_MAX {
            // Keys missed while we read stay missing until the next reading.
            self.missing.fetch_sub(missing_before, Ordering::AcqRel);
        }
        Ok(())
    }

    fn hash(&self, connection: ConnectionId, key: &str) -> u64 {
        self.hasher.hash_one((connection, key))
    }
}

impl WatchedReceipts {
    pub(crate) fn new(inner: Arc<dyn ReceiptInbox>, index: Arc<OrphanIndex>) -> Self {
        Self { inner, index }
    }
}

#[async_trait]
impl ReceiptInbox for WatchedReceipts {
    async fn park(&self, receipt: Parked) -> Result<ParkedId, StoreError> {
        if receipt.kind == ParkedKind::Orphan {
            // Noted first: an outcome that comes between finds nothing, but never overlooks anything.
            self.index.note(receipt.connection, &receipt.key);
        }
        self.inner.park(receipt).await
    }

    async fn waiting_for(
        &self,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        self.inner.waiting_for(connection, key).await
    }

    async fn list(
        &self,
        kind: ParkedKind,
        after: Option<ParkedId>,
        limit: usize,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        self.inner.list(kind, after, limit).await
    }

    async fn remove(&self, id: ParkedId) -> Result<(), StoreError> {
        self.inner.remove(id).await
    }

    async fn prune(&self, before: UnixMillis) -> Result<u64, StoreError> {
        self.inner.prune(before).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{FakeReceipts, connection_id, orphan};

    #[tokio::test]
    async fn only_keys_that_were_parked_are_worth_a_question() {
        let (index, inner) = (Arc::new(OrphanIndex::new()), Arc::new(FakeReceipts::default()));
        let id = connection_id(1);
        assert!(index.may_wait(id, "SM1"), "nothing is known before the first reading");
        inner.park(orphan(id, "SM0", b"{}")).await.unwrap();
        index.read(&*inner).await.unwrap();
        let watched = WatchedReceipts::new(inner.clone(), Arc::clone(&index));
        watched.park(orphan(id, "SM1", b"{}")).await.unwrap();
        let known: Vec<bool> = ["SM0", "SM1", "SM2"].map(|key| index.may_wait(id, key)).into();
        assert_eq!(known, [true, true, false]);
        assert!(!index.may_wait(connection_id(2), "SM1"), "keys belong to a connection");
    }

    #[tokio::test]
    async fn the_second_reading_after_it_forgets_what_has_gone() {
        let (index, inner) = (Arc::new(OrphanIndex::new()), Arc::new(FakeReceipts::default()));
        let parked = inner.park(orphan(connection_id(1), "SM0", b"{}")).await.unwrap();
        index.read(&*inner).await.unwrap();
        inner.remove(parked).await.unwrap();
        index.read(&*inner).await.unwrap();
        index.read(&*inner).await.unwrap();
        assert!(!index.may_wait(connection_id(1), "SM0"));
    }
}
