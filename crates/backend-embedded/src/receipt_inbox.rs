//! Parked receipts.

use async_trait::async_trait;
use hermes_domain::{ConnectionId, UnixMillis};
use hermes_ports::{
    ReceiptInbox, StoreError,
    receipt_inbox::{PARKED_MAX, Parked, ParkedId, ParkedKind},
};
use rusqlite::{Connection, OptionalExtension, params};
use sha2::{Digest, Sha256};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, instant, millis, rows, unreadable},
    writer::{Change, WriteTx},
};

#[async_trait]
impl ReceiptInbox for EmbeddedBackend {
    async fn park(&self, receipt: Parked) -> Result<ParkedId, StoreError> {
        let digest: [u8; 32] = Sha256::digest(&receipt.body).into();
        self.writer().write("parking a receipt", move |tx| park(tx.db, &receipt, &digest)).await
    }

    async fn waiting_for(
        &self,
        connection: ConnectionId,
        key: &str,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        let query = sqlx::query(
            "SELECT id, kind, connection, key, body, received_at FROM parked
             WHERE connection = ? AND kind = 0 AND key = ? ORDER BY id LIMIT 100",
        );
        let query = query.bind(id_bytes!(connection).to_vec()).bind(key);
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("looking for parked receipts"))?;
        found.iter().map(read).collect()
    }

    async fn list(
        &self,
        kind: ParkedKind,
        after: Option<ParkedId>,
        limit: usize,
    ) -> Result<Vec<(ParkedId, Parked)>, StoreError> {
        let query = sqlx::query(
            "SELECT id, kind, connection, key, body, received_at FROM parked
             WHERE kind = ? AND id > ? ORDER BY id LIMIT ?",
        );
        let after = after.map_or(0, |parked| parked.0);
        let query = query.bind(kind_number(kind)).bind(after).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("listing parked receipts"))?;
        found.iter().map(read).collect()
    }

    async fn remove(&self, id: ParkedId) -> Result<(), StoreError> {
        let remove = move |tx: &mut WriteTx<'_>| {
            tx.db.prepare_cached("DELETE FROM parked WHERE id = ?1")?.execute([id.0]).map(|_| Ok(()))
        };
        self.writer().write("removing a parked receipt", remove).await
    }

    async fn prune(&self, before: UnixMillis) -> Result<u64, StoreError> {
        let prune = move |tx: &mut WriteTx<'_>| {
            let mut delete = tx.db.prepare_cached("DELETE FROM parked WHERE received_at < ?1")?;
            Ok(Ok(delete.execute([millis(before)])? as u64))
        };
        self.writer().write("forgetting old receipts", prune).await
    }
}

fn park(db: &Connection, receipt: &Parked, digest: &[u8; 32]) -> Change<ParkedId> {
    let (kind, connection) = (kind_number(receipt.kind), id_bytes!(receipt.connection));
    let mut find = db.prepare_cached(
        "SELECT id FROM parked WHERE connection = ?1 AND kind = ?2 AND key = ?3 AND digest = ?4",
    )?;
    let found =
        find.query_row(params![connection, kind, receipt.key, digest], |row| row.get(0)).optional()?;
    if let Some(id) = found {
        return Ok(Ok(ParkedId(id)));
    }
    let mut count =
        db.prepare_cached("SELECT parked FROM parked_count WHERE connection = ?1 AND kind = ?2")?;
    let parked: i64 = count.query_row(params![connection, kind], |row| row.get(0)).optional()?.unwrap_or(0);
    if parked >= rows(PARKED_MAX) {
        return Ok(Err(StoreError::Full));
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO parked (kind, connection, key, body, digest, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let id = insert.insert(params![
        kind,
        connection,
        receipt.key,
        &receipt.body[..],
        digest,
        millis(receipt.received_at)
    ])?;
    Ok(Ok(ParkedId(id)))
}

const fn kind_number(kind: ParkedKind) -> i64 {
    match kind {
        ParkedKind::Orphan => 0,
        ParkedKind::Unverified => 1,
        ParkedKind::Quarantined => 2,
    }
}

fn read(row: &SqliteRow) -> Result<(ParkedId, Parked), StoreError> {
    let kind = match row.get::<i64, _>(1) {
        0 => ParkedKind::Orphan,
        1 => ParkedKind::Unverified,
        2 => ParkedKind::Quarantined,
        other => return Err(damaged(format!("a parked receipt's kind {other}"))),
    };
    let parked = Parked {
        kind,
        connection: ConnectionId::from_u128(id_bits(row.get(2))?),
        key: row.get(3),
        body: row.get::<Vec<u8>, _>(4).into(),
        received_at: instant(row.get(5)),
    };
    Ok((ParkedId(row.get(0)), parked))
}
