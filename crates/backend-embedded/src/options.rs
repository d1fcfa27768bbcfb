//! How the backend is opened, and why it could not be.

use std::{path::PathBuf, sync::Arc, time::Duration};

use hermes_ports::clock::{Clock, SystemClock};
use hermes_sealing::{Cipher, SealError};

use crate::directory_lock::LockError;

/// How the backend is opened.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// Directory of the database; made when absent. Only one process may have it open.
    pub data_dir: PathBuf,
    /// Under load a transaction begins at most this long after the one before it; a commit on an idle
    /// server never waits. 0–100 ms; longer means fewer flushes and later answers.
    pub commit_window: Duration,
    /// Most writes that wait for the writer; further ones wait to be taken in.
    pub queue_max: usize,
    /// Most writes in one transaction.
    pub batch_max: usize,
    /// Connections for reading.
    pub readers_max: u32,
    /// Size of the write-ahead log, in bytes, from which on it is copied into the database.
    pub wal_bytes_max: u64,
    /// Page size of a new database, in bytes; a power of two. An existing database keeps its own.
    pub page_bytes: u32,
    /// For what expires.
    pub clock: Arc<dyn Clock>,
    /// Seals the key of the vault, under which the data keys of recipients are kept.
    pub credentials: Arc<Cipher>,
}

impl EmbeddedOptions {
    /// The defaults for a database in `data_dir`. Its credentials key is known to everybody: set another one wherever
    /// the data are not made up.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            commit_window: Duration::from_millis(2),
            queue_max: 65_536,
            batch_max: 1_000,
            readers_max: 4,
            wal_bytes_max: 64 * 1024 * 1024,
            page_bytes: 2_048,
            clock: Arc::new(SystemClock::at_boot()),
            credentials: Arc::new(Cipher::new(&[0; 32], None)),
        }
    }
}

/// Why the backend could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The data directory could not be made.
    #[error("could not make the data directory {path}")]
    Directory {
        /// Which.
        path: PathBuf,
        /// The cause.
        #[source]
        cause: std::io::Error,
    },
    /// The data directory could not be locked.
    #[error("could not lock the data directory")]
    Lock(#[source] LockError),
    /// SQLite refused.
    #[error("could not open the database while {attempted}")]
    Database {
        /// What was attempted.
        attempted: &'static str,
        /// The cause.
        #[source]
        cause: rusqlite::Error,
    },
    /// The database was written by a later build.
    #[error("the database has schema version {found}, this build knows {known}")]
    TooNew {
        /// What is there.
        found: u32,
        /// The newest that this build knows.
        known: u32,
    },
    /// The data keys are gone or too old, and messages cannot be read without them.
    #[error("keys.db is missing or older than the database beside it: without it messages cannot be read")]
    KeysMissing,
    /// The key of the vault could not be opened or made.
    #[error("could not open the data keys: is this the credentials key that they were kept under?")]
    Vault(#[source] SealError),
    /// The connections for reading could not be opened.
    #[error("could not open the database for reading")]
    Readers(#[source] sqlx::Error),
    /// A stored envelope could not be read while the index of recent messages was rebuilt.
    #[error("the index of recent messages could not be rebuilt: {what}")]
    Damaged {
        /// Which record, without its content.
        what: String,
    },
    /// A thread could not be started.
    #[error("could not start the writer")]
    Thread(#[source] std::io::Error),
}
