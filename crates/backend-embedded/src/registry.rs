//! Records.

use async_trait::async_trait;
use hermes_ports::{
    Registry, StoreError,
    registry::{Record, RecordKind},
};
use rusqlite::{OptionalExtension, params};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::unreadable,
    writer::{Change, WriteTx},
};

#[async_trait]
impl Registry for EmbeddedBackend {
    async fn put(&self, record: Record, expected: Option<u64>) -> Result<u64, StoreError> {
        self.writer().write("writing a record", move |tx| put(tx, &record, expected)).await
    }

    async fn all(&self, kind: RecordKind) -> Result<Vec<Record>, StoreError> {
        let query = sqlx::query("SELECT id, body, secret, version FROM record WHERE kind = ? ORDER BY id");
        let rows = query.bind(kind.as_str()).fetch_all(self.reads()).await;
        Ok(rows.map_err(unreadable("listing records"))?.iter().map(|row| read(row, kind)).collect())
    }

    async fn get(&self, kind: RecordKind, id: &str) -> Result<Option<Record>, StoreError> {
        let query = sqlx::query("SELECT id, body, secret, version FROM record WHERE kind = ? AND id = ?");
        let row = query.bind(kind.as_str()).bind(id).fetch_optional(self.reads()).await;
        Ok(row.map_err(unreadable("reading a record"))?.map(|row| read(&row, kind)))
    }

    async fn delete(&self, kind: RecordKind, id: &str) -> Result<bool, StoreError> {
        let id = id.to_owned();
        let delete = move |tx: &mut WriteTx<'_>| {
            let mut delete = tx.db.prepare_cached("DELETE FROM record WHERE kind = ?1 AND id = ?2")?;
            Ok(Ok(delete.execute(params![kind.as_str(), id])? > 0))
        };
        self.writer().write("deleting a record", delete).await
    }
}

pub(crate) fn put(tx: &WriteTx<'_>, record: &Record, expected: Option<u64>) -> Change<u64> {
    let kind = record.kind.as_str();
    let mut find = tx.db.prepare_cached("SELECT version FROM record WHERE kind = ?1 AND id = ?2")?;
    let found: Option<i64> = find.query_row(params![kind, record.id], |row| row.get(0)).optional()?;
    let found = found.map_or(0, |version| u64::try_from(version).unwrap_or_default());
    if expected.is_some_and(|expected| expected != found) {
        return Ok(Err(StoreError::Conflict));
    }
    let mut write = tx.db.prepare_cached(
        "INSERT INTO record (kind, id, body, secret, version) VALUES (?1, ?2, ?3, ?4, 1)
         ON CONFLICT (kind, id) DO UPDATE SET body = ?3, secret = ?4, version = version + 1",
    )?;
    write.execute(params![kind, record.id, &record.body[..], record.secret.as_deref()])?;
    Ok(Ok(found + 1))
}

fn read(row: &SqliteRow, kind: RecordKind) -> Record {
    Record {
        kind,
        id: row.get(0),
        body: row.get::<Vec<u8>, _>(1).into(),
        secret: row.get::<Option<Vec<u8>>, _>(2).map(Into::into),
        version: u64::try_from(row.get::<i64, _>(3)).unwrap_or_default(),
    }
}
