//! What must be done now and then.

use std::sync::atomic::{AtomicU64, Ordering};

use hermes_domain::UnixMillis;
use hermes_ports::{
    ReceiptInbox as _, StoreError, inbound_log::INBOUND_FOR_MS, receipt_inbox::PARKED_FOR_MS,
};

use crate::{
    backend::EmbeddedBackend, batch_rows, claim, inbound_log, outbox, term_merge, webhook_failure,
    writer::WriteTx,
};

/// Index entries in memory from which on they are merged at once.
const TAIL_MAX: usize = 50_000;
/// Otherwise they are merged this often, in milliseconds.
const MERGE_EVERY_MS: u64 = 10_000;
/// How often expired things are looked for, in milliseconds.
const PRUNE_EVERY_MS: u64 = 60_000;
/// How long finished webhooks are kept, in milliseconds (7 days).
const OUTBOX_FOR_MS: u64 = 7 * 24 * 3_600_000;
/// Rows forgotten in one transaction, so that commits hardly wait.
const PRUNE_RUN: usize = 500;
/// Transactions of one kind in one round; the rest waits for the next round.
const PRUNE_RUNS: usize = 200;

/// Transactions in a round that seal messages of earlier builds.
const SEAL_RUNS: usize = 20;

/// When things were last done.
#[derive(Debug, Default)]
pub(crate) struct UpkeepTimes {
    merged_at: AtomicU64,
    pruned_at: AtomicU64,
}

#[async_trait::async_trait]
impl hermes_ports::Upkeep for EmbeddedBackend {
    async fn upkeep(&self) -> Result<(), StoreError> {
        Self::upkeep(self).await
    }
}

impl EmbeddedBackend {
    /// Merges index entries and forgets what has expired: idempotency keys past their time, parked
    /// receipts after 72 hours, finished webhooks after 7 days, inbound messages after 30, batches 100 days after they
    /// ended. To be called each second; most calls
    /// find nothing to do. The write-ahead log needs no call: the writer sees to it.
    ///
    /// # Errors
    /// `Unavailable`; whatever was not done is done by a later call.
    pub async fn upkeep(&self) -> Result<(), StoreError> {
        let now = self.clock().now();
        let times = self.upkeep_times();
        if self.tail().len() >= TAIL_MAX || is_time(&times.merged_at, now, MERGE_EVERY_MS) {
            self.merge_terms().await?;
        }
        self.seal_plain_envelopes(SEAL_RUNS).await?;
        if is_time(&times.pruned_at, now, PRUNE_EVERY_MS) {
            self.prune_expired(now).await?;
        }
        Ok(())
    }

    /// Merges every index entry that is in memory into its table.
    ///
    /// # Errors
    /// `Unavailable`; lists stay complete.
    pub async fn merge_terms(&self) -> Result<(), StoreError> {
        term_merge::merge(self.writer(), self.tail()).await
    }

    async fn prune_expired(&self, now: UnixMillis) -> Result<(), StoreError> {
        self.prune_runs("forgetting claims", move |tx| claim::prune(tx.db, now, PRUNE_RUN)).await?;
        self.prune_runs("forgetting batches", move |tx| batch_rows::prune(tx.db, now)).await?;
        let before = UnixMillis(now.0.saturating_sub(OUTBOX_FOR_MS));
        self.prune_runs("forgetting webhooks", move |tx| outbox::prune(tx.db, before, PRUNE_RUN)).await?;
        let written = UnixMillis(now.0.saturating_sub(INBOUND_FOR_MS));
        let prune = move |tx: &mut WriteTx<'_>| inbound_log::prune(tx.db, written, PRUNE_RUN);
        self.prune_runs("forgetting inbound messages", prune).await?;
        let forget = move |tx: &mut WriteTx<'_>| webhook_failure::prune(tx.db, before).map(Ok);
        self.writer().write("forgetting failures of webhooks", forget).await?;
        self.prune(UnixMillis(now.0.saturating_sub(PARKED_FOR_MS))).await.map(drop)
    }

    async fn prune_runs<F>(&self, attempted: &'static str, run: F) -> Result<(), StoreError>
    where
        F: Fn(&mut WriteTx<'_>) -> rusqlite::Result<usize> + Copy + Send + 'static,
    {
        for _ in 0..PRUNE_RUNS {
            if self.writer().write(attempted, move |tx| run(tx).map(Ok)).await? == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// Whether `every` has passed since `last`; if so, it is `now` that counts from here on.
fn is_time(last: &AtomicU64, now: UnixMillis, every: u64) -> bool {
    let before = last.load(Ordering::Relaxed);
    let due = now.0.saturating_sub(before) >= every;
    due && last.compare_exchange(before, now.0, Ordering::Relaxed, Ordering::Relaxed).is_ok()
}
