//! Sends receipts when they are due, and again when the receiver was away.
//!
//! One task keeps the due times in a heap, so a waiting receipt costs an entry and no timer of its own. A
//! receipt is built when it is due. A receiver that cannot be reached, or answers 429 or 5xx, is tried again
//! after 1, 2, 4, 8 and 16 seconds: a receiver that crashed gets its receipts when it is back. Other answers
//! are final, as they are for the real providers.

mod sender;

use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    fmt,
    sync::{Arc, atomic},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderName, HeaderValue};
use serde::Serialize;
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use tracing::warn;
use url::Url;

use sender::Sender;

/// Most receipts waiting; more are dropped and counted.
const WAITING_MAX: u64 = 2_000_000;

/// One request to a receiver: a POST, or a GET where there is no body.
#[derive(Clone)]
pub(crate) struct Outgoing {
    pub(crate) url: Url,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) body: Bytes,
}

type Build = Box<dyn FnOnce() -> Vec<Outgoing> + Send>;

enum Work {
    Build(Build),
    Again { outgoing: Outgoing, failures: u32 },
}

struct Job {
    due: Instant,
    work: Work,
}

/// The queue of receipts; cheap to use from every request.
#[derive(Debug)]
pub(crate) struct Receipts {
    queue: mpsc::UnboundedSender<Job>,
    figures: Arc<Figures>,
    scheduler: JoinHandle<()>,
}

/// What became of receipts so far.
#[derive(Debug, Default)]
struct Figures {
    waiting: atomic::AtomicU64,
    delivered: atomic::AtomicU64,
    retried: atomic::AtomicU64,
    refused: atomic::AtomicU64,
    given_up: atomic::AtomicU64,
    dropped: atomic::AtomicU64,
}

/// A reading of the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Not yet due, or due again.
    pub(crate) waiting: u64,
    /// Answered 2xx.
    pub(crate) delivered: u64,
    /// Tries that failed and were followed by another.
    pub(crate) retried: u64,
    /// Answered with a final error.
    pub(crate) refused: u64,
    /// Failed on the last try.
    pub(crate) given_up: u64,
    /// Never tried, because too many were waiting.
    pub(crate) dropped: u64,
}

impl Receipts {
    /// Starts the scheduler on the current runtime.
    ///
    /// # Errors
    /// When the HTTP client cannot be built.
    pub(crate) fn start() -> Result<Self, reqwest::Error> {
        let (queue, jobs) = mpsc::unbounded_channel();
        let figures = Arc::new(Figures::default());
        // The sender puts failed tries back, by a weak handle: the scheduler ends when this queue is dropped.
        let sender = Arc::new(Sender::new(queue.downgrade(), Arc::clone(&figures))?);
        let scheduler = tokio::spawn(schedule(jobs, sender));
        Ok(Self { queue, figures, scheduler })
    }

    /// Sends what `build` returns after `delay`.
    pub(crate) fn schedule(&self, delay: Duration, build: impl FnOnce() -> Vec<Outgoing> + Send + 'static) {
        if self.figures.waiting.fetch_add(1, atomic::Ordering::Relaxed) >= WAITING_MAX {
            self.figures.waiting.fetch_sub(1, atomic::Ordering::Relaxed);
            self.figures.dropped.fetch_add(1, atomic::Ordering::Relaxed);
            return;
        }
        let job = Job { due: Instant::now() + delay, work: Work::Build(Box::new(build)) };
        if self.queue.send(job).is_err() {
            warn!("the receipt scheduler has stopped");
        }
    }

    pub(crate) fn summary(&self) -> Summary {
        let read = |figure: &atomic::AtomicU64| figure.load(atomic::Ordering::Relaxed);
        let figures = &self.figures;
        Summary {
            waiting: read(&figures.waiting),
            delivered: read(&figures.delivered),
            retried: read(&figures.retried),
            refused: read(&figures.refused),
            given_up: read(&figures.given_up),
            dropped: read(&figures.dropped),
        }
    }

    /// Stops sending; receipts that wait are lost.
    pub(crate) fn stop(&self) {
        self.scheduler.abort();
    }
}

/// How many newly scheduled receipts are taken from the queue at once.
const BATCH: usize = 1024;

async fn schedule(mut jobs: mpsc::UnboundedReceiver<Job>, sender: Arc<Sender>) {
    let mut heap = BinaryHeap::new();
    let mut batch = Vec::with_capacity(BATCH);
    loop {
        let next_due = heap.peek().map_or_else(Instant::now, |job: &Job| job.due);
        tokio::select! {
            received = jobs.recv_many(&mut batch, BATCH) => {
                if received == 0 {
                    return;
                }
                heap.extend(batch.drain(..));
            }
            () = tokio::time::sleep_until(next_due), if !heap.is_empty() => {}
        }
        let now = Instant::now();
        while heap.peek().is_some_and(|job| job.due <= now) {
            let Some(job) = heap.pop() else { break };
            tokio::spawn(Arc::clone(&sender).work(job.work));
        }
    }
}

impl PartialEq for Job {
    fn eq(&self, other: &Self) -> bool {
        self.due == other.due
    }
}

impl Eq for Job {}

impl PartialOrd for Job {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The earliest is the greatest, since the heap gives the greatest first.
impl Ord for Job {
    fn cmp(&self, other: &Self) -> Ordering {
        other.due.cmp(&self.due)
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job").field("due", &self.due).finish_non_exhaustive()
    }
}
