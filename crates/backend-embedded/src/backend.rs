//! The backend as a whole: opened, shared, closed.

use std::sync::Arc;

use hermes_ports::clock::Clock;
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tracing::info;

use crate::{
    directory_lock::DirectoryLock,
    live_scan::LiveScan,
    options::{EmbeddedOptions, OpenError},
    schema::{self, DATABASE},
    suppression_filter::SuppressionFilter,
    term_merge,
    term_tail::TermTail,
    upkeep::UpkeepTimes,
    writer::Writer,
};

/// Every storing port on one SQLite database.
///
/// Close it with [`EmbeddedBackend::close`]. Dropping it instead also writes what was handed over,
/// but blocks the thread that drops it.
#[derive(Debug)]
pub struct EmbeddedBackend {
    writer: Writer,
    reads: SqlitePool,
    live: LiveScan,
    tail: Arc<TermTail>,
    suppressed: Arc<SuppressionFilter>,
    clock: Arc<dyn Clock>,
    upkeep: UpkeepTimes,
}

impl EmbeddedBackend {
    /// Opens or makes the database in `options.data_dir` and locks that directory.
    ///
    /// Blocks while it migrates and rebuilds the index of the newest messages, usually milliseconds.
    ///
    /// # Errors
    /// See [`OpenError`]; `Lock` when another process has it open.
    pub async fn open(options: EmbeddedOptions) -> Result<Arc<Self>, OpenError> {
        let directory = options.data_dir.clone();
        std::fs::create_dir_all(&directory)
            .map_err(|cause| OpenError::Directory { path: directory.clone(), cause })?;
        let lock = DirectoryLock::take(&directory).map_err(OpenError::Lock)?;
        let path = directory.join(DATABASE);
        let db = schema::open_writer(&path, &options)?;
        let tail = term_merge::rebuild(&db).map_err(|cause| OpenError::Database {
            attempted: "rebuilding the index of new messages",
            cause,
        })?;
        let tail = Arc::new(tail);
        let suppressed = SuppressionFilter::load(&db)
            .map_err(|cause| OpenError::Database { attempted: "reading suppressions", cause })?;
        let suppressed = Arc::new(suppressed);
        let writer = Writer::start(db, &path, lock, Arc::clone(&tail), &options)?;
        let reading = SqliteConnectOptions::new().filename(&path).read_only(true).create_if_missing(false);
        let pool = SqlitePoolOptions::new().max_connections(options.readers_max.max(1)).min_connections(1);
        let reads = pool.connect_with(reading).await.map_err(OpenError::Readers)?;
        let live = LiveScan::open(&path)
            .map_err(|cause| OpenError::Database { attempted: "opening it for scans", cause })?;
        info!(path = %path.display(), recent_terms = tail.len(), "opened the database");
        let (clock, upkeep) = (options.clock, UpkeepTimes::default());
        Ok(Arc::new(Self { writer, reads, live, tail, suppressed, clock, upkeep }))
    }

    /// Writes what waits, empties the write-ahead log and unlocks the directory. Calls that come
    /// later fail with `Unavailable`.
    pub async fn close(&self) {
        if let Err(error) = self.merge_terms().await {
            // Harmless: the next start rebuilds them.
            info!(error = &error as &dyn std::error::Error, "index entries stay unmerged");
        }
        self.reads.close().await;
        self.live.close();
        self.writer.close().await;
    }

    pub(crate) const fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) const fn reads(&self) -> &SqlitePool {
        &self.reads
    }

    pub(crate) const fn live(&self) -> &LiveScan {
        &self.live
    }

    pub(crate) const fn tail(&self) -> &Arc<TermTail> {
        &self.tail
    }

    pub(crate) const fn suppression_filter(&self) -> &Arc<SuppressionFilter> {
        &self.suppressed
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    pub(crate) const fn upkeep_times(&self) -> &UpkeepTimes {
        &self.upkeep
    }
}
