//! Records tries in batches: thousands of deliveries a second must not be as many transactions.

use std::{sync::Arc, time::Duration};

use hermes_ports::{
    Outbox,
    outbox::DeliveryUpdate,
    store_error::{ErrorKind, StoreError},
};
use hermes_supervision::error_chain;
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, timeout_at},
};

/// Updates that may wait for the batch before them; further callers wait.
const WAITING_MAX: usize = 4_096;
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(5);

type Job = (DeliveryUpdate, oneshot::Sender<bool>);

/// Where tries are recorded. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Recorder(mpsc::Sender<Job>);

/// How batches are made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Batching {
    /// Updates in one batch.
    pub(crate) max: usize,
    /// How long the first one waits for others.
    pub(crate) wait: Duration,
}

impl Recorder {
    /// A recorder and the work that must run for it; it ends with the last clone of the recorder.
    pub(crate) fn new(
        outbox: Arc<dyn Outbox>,
        batching: Batching,
    ) -> (Self, impl Future<Output = ()> + Send) {
        let (jobs, queue) = mpsc::channel(WAITING_MAX);
        (Self(jobs), work(outbox, queue, batching))
    }

    /// Returns once the update is durable; `false` when it never will be.
    ///
    /// Waits as long as the store is away: the try has been made, and forgetting it would repeat it.
    pub(crate) async fn record(&self, update: DeliveryUpdate) -> bool {
        let (done, durable) = oneshot::channel();
        self.0.send((update, done)).await.is_ok() && durable.await.unwrap_or(false)
    }
}

async fn work(outbox: Arc<dyn Outbox>, mut queue: mpsc::Receiver<Job>, batching: Batching) {
    while let Some(first) = queue.recv().await {
        let mut jobs = vec![first];
        let until = Instant::now() + batching.wait;
        while jobs.len() < batching.max
            && let Ok(Some(job)) = timeout_at(until, queue.recv()).await
        {
            jobs.push(job);
        }
        let (updates, callers): (Vec<_>, Vec<_>) = jobs.into_iter().unzip();
        let durable = write(&*outbox, updates).await;
        for caller in callers {
            let _ = caller.send(durable); // Its task may have been aborted.
        }
    }
}

async fn write(outbox: &dyn Outbox, updates: Vec<DeliveryUpdate>) -> bool {
    let mut pause = PAUSE_MIN;
    loop {
        let Err(error) = outbox.record(updates.clone()).await else { return true };
        if is_final(&error) {
            tracing::error!(
                updates = updates.len(),
                error = error_chain(&error),
                "could not record webhook deliveries"
            );
            return false;
        }
        tracing::warn!(
            updates = updates.len(),
            error = error_chain(&error),
            "recording webhook deliveries again"
        );
        sleep(pause).await;
        pause = (pause * 2).min(PAUSE_MAX);
    }
}

fn is_final(error: &StoreError) -> bool {
    match error.kind() {
        ErrorKind::Transient | ErrorKind::Conflict => false,
        ErrorKind::Permanent => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::{FakeOutbox, update};
    use futures::future::join_all;

    const BATCHING: Batching = Batching { max: 100, wait: Duration::from_millis(5) };

    fn recorder(outbox: &Arc<FakeOutbox>) -> Recorder {
        let (recorder, work) = Recorder::new(outbox.clone(), BATCHING);
        tokio::spawn(work);
        recorder
    }

    #[tokio::test(start_paused = true)]
    async fn updates_of_the_same_moment_share_a_batch() {
        let outbox = Arc::new(FakeOutbox::default());
        let recorder = recorder(&outbox);
        let all = join_all((0..250).map(|number| recorder.record(update(number)))).await;
        assert!(all.into_iter().all(|durable| durable));
        assert_eq!(*outbox.batches.lock(), [100, 100, 50]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_store_that_is_away_is_waited_for() {
        let outbox = Arc::new(FakeOutbox::default());
        *outbox.failures.lock() = 12;
        assert!(recorder(&outbox).record(update(1)).await);
        assert_eq!(*outbox.batches.lock(), [1]);
    }
}
