//! The backend as a whole: opened, shared, closed.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use hermes_ports::clock::Clock;
use hermes_sealing::sealed_envelope::StoredEnvelope;
use rusqlite::{Connection, OptionalExtension as _};
use sqlx::{
    SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tracing::info;

use crate::{
    directory_lock::DirectoryLock,
    inbound_log,
    key_file::{KEYS, KeyFile},
    key_ring::KeyRing,
    key_sweep::SweepCursor,
    live_scan::LiveScan,
    options::{EmbeddedOptions, OpenError},
    private_files,
    schema::{self, DATABASE},
    suppression_filter::SuppressionFilter,
    term_merge,
    term_tail::TermTail,
    upkeep::UpkeepTimes,
    vault::Vault,
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
    vault: Arc<Vault>,
    key_reads: SqlitePool,
    /// Messages of earlier builds are still to be sealed.
    plain: AtomicBool,
    sweep: SweepCursor,
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
        let unmade = |cause| OpenError::Directory { path: directory.clone(), cause };
        private_files::directory(&directory).map_err(unmade)?;
        let lock = DirectoryLock::take(&directory).map_err(OpenError::Lock)?;
        let (path, keys_path) = (directory.join(DATABASE), directory.join(KEYS));
        [&path, &keys_path].into_iter().try_for_each(|path| private_files::database(path)).map_err(unmade)?;
        let db = schema::open_writer(&path, &options)?;
        let (mut keys, has_plain) = open_keys(&db, &keys_path, &options)?;
        let vault = keys.vault();
        keys.destroy_given_up(&db)
            .map_err(|cause| OpenError::Database { attempted: "finishing an erasure", cause })?;
        let sealed = inbound_log::seal_plain(&db, &mut keys)
            .map_err(|cause| OpenError::Database { attempted: "sealing inbound messages", cause })?;
        if sealed > 0 {
            info!(messages = sealed, "the addresses of inbound messages are encrypted now");
        }
        let tail = term_merge::rebuild(&db, &keys).map_err(|cause| OpenError::Database {
            attempted: "rebuilding the index of new messages",
            cause,
        })?;
        let tail = Arc::new(tail);
        let suppressed = SuppressionFilter::load(&db)
            .map_err(|cause| OpenError::Database { attempted: "reading suppressions", cause })?;
        let suppressed = Arc::new(suppressed);
        let writer = Writer::start(db, &path, lock, (Arc::clone(&tail), keys), &options)?;
        let reads = readers(&path, options.readers_max).await?;
        let key_reads = readers(&keys_path, options.readers_max).await?;
        let live = LiveScan::open(&path)
            .map_err(|cause| OpenError::Database { attempted: "opening it for scans", cause })?;
        info!(path = %path.display(), recent_terms = tail.len(), "opened the database");
        let (clock, upkeep) = (options.clock, UpkeepTimes::default());
        let plain = AtomicBool::new(has_plain);
        let sweep = SweepCursor::anywhere().map_err(OpenError::Vault)?;
        Ok(Arc::new(Self {
            writer,
            reads,
            live,
            tail,
            suppressed,
            vault,
            key_reads,
            plain,
            sweep,
            clock,
            upkeep,
        }))
    }

    /// Writes what waits, empties the write-ahead log and unlocks the directory. Calls that come
    /// later fail with `Unavailable`.
    pub async fn close(&self) {
        if let Err(error) = self.merge_terms().await {
            // Harmless: the next start rebuilds them.
            info!(error = &error as &dyn std::error::Error, "index entries stay unmerged");
        }
        self.reads.close().await;
        self.key_reads.close().await;
        self.live.close();
        self.writer.close().await;
    }

    pub(crate) const fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) const fn reads(&self) -> &SqlitePool {
        &self.reads
    }

    pub(crate) const fn key_reads(&self) -> &SqlitePool {
        &self.key_reads
    }

    pub(crate) fn vault(&self) -> &Vault {
        &self.vault
    }

    pub(crate) fn has_plain_envelopes(&self) -> bool {
        self.plain.load(Ordering::Acquire)
    }

    /// No message is stored in plain text any more.
    pub(crate) fn all_envelopes_are_sealed(&self) {
        self.plain.store(false, Ordering::Release);
    }

    pub(crate) const fn sweep_cursor(&self) -> &SweepCursor {
        &self.sweep
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

/// The data keys, and whether some messages are not encrypted under any yet.
fn open_keys(db: &Connection, path: &Path, options: &EmbeddedOptions) -> Result<(KeyRing, bool), OpenError> {
    let look = |attempted, sql: &str| {
        db.query_row(sql, [], |row| row.get::<_, bool>(0))
            .map_err(|cause| OpenError::Database { attempted, cause })
    };
    let is_needed = look("looking for recipients", "SELECT EXISTS (SELECT 1 FROM recipient)")?;
    let has_plain = look("looking for plain messages", "SELECT next < until FROM plain_envelope")?;
    let (file, key) = KeyFile::open(path, &options.credentials, is_needed)?;
    let keys = KeyRing::new(file, Arc::new(Vault::new(key)));
    let is_whole = knows_the_newest(db, &keys)
        .map_err(|cause| OpenError::Database { attempted: "looking for the newest data keys", cause })?;
    if is_whole { Ok((keys, has_plain)) } else { Err(OpenError::KeysMissing) }
}

/// Whether the keys of the newest message are there. Otherwise the file is an older copy, and new messages would get ids
/// of keys that others have had.
fn knows_the_newest(db: &Connection, keys: &KeyRing) -> rusqlite::Result<bool> {
    let newest = "SELECT envelope FROM message ORDER BY key DESC LIMIT 1";
    let envelope: Option<Vec<u8>> = db.query_row(newest, [], |row| row.get(0)).optional()?;
    for id in StoredEnvelope::keys_of(&envelope.unwrap_or_default()) {
        if keys.read(id)?.is_none() {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn readers(path: &Path, connections_max: u32) -> Result<SqlitePool, OpenError> {
    let reading = SqliteConnectOptions::new().filename(path).read_only(true).create_if_missing(false);
    let pool = SqlitePoolOptions::new().max_connections(connections_max.max(1)).min_connections(1);
    pool.connect_with(reading).await.map_err(OpenError::Readers)
}
