//! Reads what lives, in bulk.
//!
//! Boot reads every live row. Through the pool each row is handed from one thread to another, about ten
//! times the cost of reading it, so this has a connection of its own and reads whole pages at once.

use std::{path::Path, sync::Arc};

use hermes_domain::MessageId;
use hermes_ports::{StoreError, cascade_store::OpenCascade};
use parking_lot::Mutex;
use rusqlite::{Connection, OpenFlags, params};

use crate::columns::{damaged, id_bits, instant, rows};

/// A storage key holds the partition in its bits 14 to 21.
const OF_PARTITION: &str = "SELECT id, due, owes FROM state INDEXED BY state_live
    WHERE live = 1 AND key > ?1 AND (key >> 14) & 255 = ?3 ORDER BY key LIMIT ?2";
const OF_ALL: &str = "SELECT id, due, owes FROM state INDEXED BY state_live
    WHERE live = 1 AND key > ?1 ORDER BY key LIMIT ?2";

/// The connection; `None` once closed.
#[derive(Clone, Debug)]
pub(crate) struct LiveScan(Arc<Mutex<Option<Connection>>>);

impl LiveScan {
    /// Opens the database for reading.
    pub(crate) fn open(path: &Path) -> rusqlite::Result<Self> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        Ok(Self(Arc::new(Mutex::new(Some(Connection::open_with_flags(path, flags)?)))))
    }

    /// Live messages of a partition, or of all, in order of arrival, after `after`, at most `limit`.
    pub(crate) async fn page(
        &self,
        partition: Option<u8>,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError> {
        let db = Arc::clone(&self.0);
        let read = move || {
            let db = db.lock();
            let db = db.as_ref().ok_or_else(|| unavailable("the store is closed"))?;
            read(db, partition, after, limit).map_err(unavailable)?
        };
        tokio::task::spawn_blocking(read).await.map_err(unavailable)?
    }

    /// Closes the connection; later calls fail.
    pub(crate) fn close(&self) {
        *self.0.lock() = None;
    }
}

/// The outer error is SQLite's, the inner one a row that cannot be read.
fn read(
    db: &Connection,
    partition: Option<u8>,
    after: Option<MessageId>,
    limit: usize,
) -> rusqlite::Result<Result<Vec<OpenCascade>, StoreError>> {
    let mut select = db.prepare_cached(if partition.is_some() { OF_PARTITION } else { OF_ALL })?;
    let (after, limit) = (after.map_or(-1, MessageId::storage_key), rows(limit));
    let mut found = match partition {
        Some(partition) => select.query(params![after, limit, partition])?,
        None => select.query(params![after, limit])?,
    };
    let mut open = Vec::new();
    while let Some(row) = found.next()? {
        let id = match id_bits(row.get_ref(0)?.as_blob()?) {
            Ok(id) => MessageId::from_u128(id),
            Err(error) => return Ok(Err(error)),
        };
        match row.get::<_, Option<i64>>(1)? {
            Some(due) => open.push(OpenCascade { id, due: instant(due), owes_effect: row.get(2)? }),
            None => return Ok(Err(damaged(format!("due time of {id}")))),
        }
    }
    Ok(Ok(open))
}

fn unavailable(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> StoreError {
    StoreError::Unavailable { attempted: "listing open cascades", cause: cause.into() }
}
