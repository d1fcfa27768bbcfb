//! The loop of the writing thread.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use rusqlite::Connection;
use tokio::sync::mpsc;
use tracing::error;

use super::{batch, checkpoint::Checkpoints, job::Job};
use crate::{directory_lock::DirectoryLock, key_ring::KeyRing, term_tail::TermTail};

/// What arrives in the queue.
pub(super) enum Work {
    /// To be written.
    Job(Box<dyn Job>),
    /// Take nothing more in, write what waits, end.
    Close,
}

/// Everything the thread owns. The lock is released last, when nothing can write any more.
pub(super) struct WriterThread {
    pub(super) db: Connection,
    pub(super) queue: mpsc::Receiver<Work>,
    pub(super) tail: Arc<TermTail>,
    pub(super) keys: KeyRing,
    pub(super) checkpoints: Checkpoints,
    pub(super) commit_window: Duration,
    pub(super) batch_max: usize,
    pub(super) lock: DirectoryLock,
}

impl WriterThread {
    /// Runs until the queue is closed and empty.
    pub(super) fn run(mut self) {
        let watch = EndProcessOnPanic;
        let mut waiting = Vec::with_capacity(self.batch_max);
        let (mut begun, mut shared) = (Instant::now(), false);
        while self.queue.blocking_recv_many(&mut waiting, self.batch_max) > 0 {
            if shared {
                self.gather(&mut waiting, begun);
            }
            begun = Instant::now();
            let jobs = self.jobs(&mut waiting);
            shared = jobs.len() > 1;
            if !jobs.is_empty() {
                batch::write(&self.db, &self.tail, &mut self.keys, jobs);
                if self.keys.take_stale_log() && !self.checkpoints.empty(&self.db) {
                    self.keys.empty_log_afterwards();
                }
                self.checkpoints.between(&self.db);
            }
        }
        self.checkpoints.finish(&self.db);
        drop(self.db);
        drop(self.lock);
        drop(watch);
    }

    /// Lets more writes join this transaction until the commit window since `begun` is over. Only
    /// called while writes come together: a lone one is not kept waiting.
    fn gather(&mut self, waiting: &mut Vec<Work>, begun: Instant) {
        let left = self.commit_window.saturating_sub(begun.elapsed());
        if waiting.len() < self.batch_max && !left.is_zero() && !self.queue.is_closed() {
            std::thread::sleep(left);
            while waiting.len() < self.batch_max
                && let Ok(work) = self.queue.try_recv()
            {
                waiting.push(work);
            }
        }
    }

    fn jobs(&mut self, waiting: &mut Vec<Work>) -> Vec<Box<dyn Job>> {
        let mut jobs = Vec::with_capacity(waiting.len());
        for work in waiting.drain(..) {
            match work {
                Work::Job(job) => jobs.push(job),
                Work::Close => self.queue.close(),
            }
        }
        jobs
    }
}

/// Without its writer the process could neither accept nor finish anything, yet look alive.
struct EndProcessOnPanic;

impl Drop for EndProcessOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            error!("the writer panicked; ending the process");
            std::process::exit(1);
        }
    }
}
