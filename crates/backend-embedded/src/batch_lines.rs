//! Lines of uploads as they are stored: encrypted under a key of their batch, overwritten when they are taken.
//!
//! A line names people whom nobody knows yet: it is only parsed when its turn comes. So its key is the batch's, not its
//! recipients', and goes with the batch's end.

use std::collections::HashMap;

use bytes::Bytes;
use hermes_domain::UnixMillis;
use hermes_ports::StoreError;
use hermes_sealing::{DataKey, KeyId};
use rusqlite::{Connection, params};

use crate::{
    columns::{damaged, millis},
    key_ring::KeyRing,
    schema::set_secure_delete,
    vault::Known,
};

/// The key that lines of a batch are written under; `None` for a batch of an earlier build.
pub(crate) fn writing_key(db: &Connection, keys: &KeyRing, batch: i64) -> rusqlite::Result<Option<DataKey>> {
    let text = "SELECT data_key FROM batch WHERE number = ?1";
    let id: Option<i64> = db.prepare_cached(text)?.query_row([batch], |row| row.get(0))?;
    let Some(id) = id else { return Ok(None) };
    match keys.read(KeyId(id))? {
        Some(Known::Key(key)) => Ok(Some(key)),
        Some(Known::Erased(_)) | None => Err(rusqlite::Error::QueryReturnedNoRows),
    }
}

/// A line as it is stored at `place`.
pub(crate) fn seal(key: Option<&DataKey>, place: i64, line: &[u8]) -> rusqlite::Result<Vec<u8>> {
    match key {
        Some(key) => key
            .seal(&place.to_be_bytes(), line)
            .map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause))),
        None => Ok(line.to_vec()),
    }
}

/// The line that is stored at `place`; `None` when the key of its batch is destroyed.
pub(crate) fn open(
    key: Option<KeyId>,
    known: &HashMap<KeyId, Known>,
    place: i64,
    stored: Vec<u8>,
) -> Result<Option<Bytes>, StoreError> {
    let Some(id) = key else { return Ok(Some(Bytes::from(stored))) };
    match known.get(&id) {
        Some(Known::Key(key)) => {
            let opened = key.open(&place.to_be_bytes(), &stored);
            opened.map(|line| Some(Bytes::from(line))).map_err(|_| damaged("a line of a batch"))
        }
        Some(Known::Erased(_)) => Ok(None),
        None => Err(damaged("a batch whose key is missing")),
    }
}

/// Does what removes lines, and has their bytes overwritten.
pub(crate) fn overwriting<T>(
    db: &Connection,
    remove: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    set_secure_delete(db, true)?;
    let removed = remove(db);
    set_secure_delete(db, false)?;
    removed
}

/// Takes the keys of batches away, with the open transaction; they are to be destroyed after it.
pub(crate) fn give_up_key(db: &Connection, batch: i64, now: UnixMillis) -> rusqlite::Result<Option<KeyId>> {
    let text = "SELECT data_key FROM batch WHERE number = ?1";
    let id: Option<i64> = db.prepare_cached(text)?.query_row([batch], |row| row.get(0))?;
    if let Some(id) = id {
        let owed = "INSERT OR IGNORE INTO key_to_destroy (data_key, erased_at) VALUES (?1, ?2)";
        db.execute(owed, params![id, millis(now)])?;
    }
    Ok(id.map(KeyId))
}
