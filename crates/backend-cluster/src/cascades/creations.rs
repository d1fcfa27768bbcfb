//! Messages on their way between their sealing and their row in the companion.
//!
//! Only the row says that a data key is needed, and only rows are erased and cancelled. So whoever destroys keys waits until
//! none is on its way, and has those recorded first that a crash or a failure has left without a row.

use std::sync::atomic::{AtomicBool, Ordering};

use hermes_ports::{StoreError, cascade_store::Revision};
use tokio::sync::{Mutex, RwLock, RwLockReadGuard, RwLockWriteGuard};

use super::store::NatsCascadeStore;

#[derive(Debug)]
pub(super) struct Creations {
    under_way: RwLock<()>,
    /// Some messages may have no row: always so at a start.
    left_out: AtomicBool,
    settling: Mutex<()>,
}

impl Default for Creations {
    fn default() -> Self {
        Self { under_way: RwLock::default(), left_out: AtomicBool::new(true), settling: Mutex::default() }
    }
}

/// One that is under way. Dropped before it has ended, it may be without a row.
pub(super) struct Creation<'a> {
    of: &'a Creations,
    has_ended: bool,
    _under_way: RwLockReadGuard<'a, ()>,
}

impl Creations {
    pub(super) async fn begin(&self) -> Creation<'_> {
        Creation { of: self, has_ended: false, _under_way: self.under_way.read().await }
    }
}

impl Creation<'_> {
    /// With this result: what was refused is not stored.
    pub(super) fn ended(mut self, result: &Result<Revision, StoreError>) {
        self.has_ended = matches!(result, Ok(_) | Err(StoreError::Conflict | StoreError::ClaimTaken));
    }
}

impl Drop for Creation<'_> {
    fn drop(&mut self) {
        if !self.has_ended {
            self.of.left_out.store(true, Ordering::Release); // Before the lock goes, so that who waits for it sees it.
        }
    }
}

impl NatsCascadeStore {
    /// Brings what earlier builds, crashes and failures have left to where it belongs: envelopes are sealed, and messages
    /// under way are on record in the companion. Costs nothing once that is done.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`; goes on where it was when it is called again.
    pub(crate) async fn settle(&self) -> Result<(), StoreError> {
        self.seal_plain().await?;
        let _once = self.creations.settling.lock().await;
        if self.creations.left_out.swap(false, Ordering::AcqRel) {
            let recorded = self.record_left_out().await;
            if recorded.is_err() {
                self.creations.left_out.store(true, Ordering::Release);
            }
            return recorded;
        }
        Ok(())
    }

    /// Waits until every message that was sealed is on record in the companion, and keeps others from being sealed.
    ///
    /// # Errors
    /// As [`Self::settle`].
    pub(crate) async fn quiet(&self) -> Result<RwLockWriteGuard<'_, ()>, StoreError> {
        loop {
            self.settle().await?;
            let quiet = self.creations.under_way.write().await;
            if !self.creations.left_out.load(Ordering::Acquire) {
                return Ok(quiet);
            }
        }
    }
}
