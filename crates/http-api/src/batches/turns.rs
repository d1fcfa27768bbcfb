//! Who may touch a batch: the runner for one turn, or a command in between.

use hermes_domain::BatchId;
use tokio::sync::{Mutex, MutexGuard, Notify};

/// Batches that share a turn with others now and then. A turn is short, so that hardly matters.
const STRIPES: usize = 1_024;

/// Turns of batches, and the call for the next one.
#[derive(Debug)]
pub(crate) struct Turns {
    stripes: Vec<Mutex<()>>,
    wanted: Notify,
}

impl Default for Turns {
    fn default() -> Self {
        Self {
            stripes: std::iter::repeat_with(Mutex::default).take(STRIPES).collect(),
            wanted: Notify::new(),
        }
    }
}

impl Turns {
    /// Waits for the end of the turn that is under way; the next one waits for the guard.
    pub(crate) async fn of(&self, id: BatchId) -> MutexGuard<'_, ()> {
        // The low bits of an id are random.
        let stripe = usize::try_from(id.as_u128() % STRIPES as u128).unwrap_or_default();
        self.stripes[stripe].lock().await
    }

    /// Some batch owes work.
    pub(crate) fn wake(&self) {
        self.wanted.notify_one();
    }

    /// Returns once some batch owes work since the last call.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}
