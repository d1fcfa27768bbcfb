//! Webhooks owed to tenants.

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, MessageId, UnixMillis};
use hermes_ports::{
    Outbox, StoreError,
    outbox::{Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry},
};
use rusqlite::{Connection, OptionalExtension, params};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, instant, millis, rows, unreadable},
    writer::WriteTx,
};

const REDELIVERABLE: &str = "endpoint = ?1 AND created_at >= ?2 AND status <> 0";

/// Adds entries to the transaction. One that is there already stays as it is.
pub(crate) fn insert(db: &Connection, entries: &[OutboxEntry]) -> rusqlite::Result<()> {
    for entry in entries {
        let mut insert = db.prepare_cached(
            "INSERT OR IGNORE INTO outbox
             (endpoint, event, message, event_type, body, created_at, status, attempts, next_at)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, 0, ?6)",
        )?;
        insert.execute(params![
            id_bytes!(entry.endpoint),
            id_bytes!(entry.event),
            id_bytes!(entry.message),
            entry.event_type,
            entry.body,
            millis(entry.created_at)
        ])?;
    }
    Ok(())
}

/// Forgets at most `limit` finished entries of each endpoint that are older than `before`.
pub(crate) fn prune(db: &Connection, before: UnixMillis, limit: usize) -> rusqlite::Result<usize> {
    // An event's id begins with the time its message was accepted, which is never after its own time.
    let newest = id_bytes!(EventId::new(before, 0));
    let mut next = db.prepare_cached("SELECT min(endpoint) FROM outbox WHERE endpoint > ?1")?;
    let mut delete = db.prepare_cached(
        "DELETE FROM outbox WHERE endpoint = ?1 AND event IN
         (SELECT event FROM outbox WHERE endpoint = ?1 AND event < ?2 AND created_at < ?3 AND status <> 0 LIMIT ?4)",
    )?;
    let (mut endpoint, mut pruned) = (Vec::new(), 0);
    while let Some(found) =
        next.query_row([&endpoint], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()?.flatten()
    {
        pruned += delete.execute(params![found, newest, millis(before), rows(limit)])?;
        endpoint = found;
    }
    Ok(pruned)
}

#[async_trait]
impl Outbox for EmbeddedBackend {
    async fn pending(&self, endpoint: EndpointId, limit: usize) -> Result<Vec<Delivery>, StoreError> {
        let query = sqlx::query(
            "SELECT endpoint, event, message, event_type, body, created_at, status, attempts, next_at,
             last_status, last_error FROM outbox INDEXED BY outbox_pending
             WHERE endpoint = ? AND status = 0 ORDER BY next_at, event LIMIT ?",
        );
        let query = query.bind(id_bytes!(endpoint).to_vec()).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("listing pending webhooks"))?;
        found.iter().map(read).collect()
    }

    async fn owe(&self, entries: Vec<OutboxEntry>) -> Result<(), StoreError> {
        let owe = move |tx: &mut WriteTx<'_>| insert(tx.db, &entries).map(Ok);
        self.writer().write("adding webhooks", owe).await
    }

    async fn record(&self, updates: Vec<DeliveryUpdate>) -> Result<(), StoreError> {
        let record =
            move |tx: &mut WriteTx<'_>| updates.iter().try_for_each(|update| apply(tx.db, update)).map(Ok);
        self.writer().write("recording webhook deliveries", record).await
    }

    async fn list(
        &self,
        endpoint: EndpointId,
        before: Option<EventId>,
        limit: usize,
    ) -> Result<Vec<Delivery>, StoreError> {
        let query = sqlx::query(
            "SELECT endpoint, event, message, event_type, body, created_at, status, attempts, next_at,
             last_status, last_error FROM outbox
             WHERE endpoint = ? AND (? IS NULL OR event < ?) ORDER BY event DESC LIMIT ?",
        );
        let before = before.map(|event| id_bytes!(event).to_vec());
        let query =
            query.bind(id_bytes!(endpoint).to_vec()).bind(before.clone()).bind(before).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("listing webhooks"))?;
        found.iter().map(read).collect()
    }

    async fn redeliver(
        &self,
        endpoint: EndpointId,
        since: UnixMillis,
        dry_run: bool,
    ) -> Result<u64, StoreError> {
        let now = millis(self.clock().now());
        let redeliver = move |tx: &mut WriteTx<'_>| {
            let of = (id_bytes!(endpoint), millis(since));
            let count: i64 = tx.db.query_row(
                &format!("SELECT count(*) FROM outbox WHERE {REDELIVERABLE}"),
                params![of.0, of.1],
                |row| row.get(0),
            )?;
            if !dry_run {
                tx.db.execute(
                    &format!(
                        "UPDATE outbox SET status = 0, attempts = 0, next_at = ?3 WHERE {REDELIVERABLE}"
                    ),
                    params![of.0, of.1, now],
                )?;
            }
            Ok(Ok(u64::try_from(count).unwrap_or_default()))
        };
        self.writer().write("redelivering webhooks", redeliver).await
    }
}

fn apply(db: &Connection, update: &DeliveryUpdate) -> rusqlite::Result<()> {
    let mut apply = db.prepare_cached(
        "UPDATE outbox SET status = ?3, attempts = ?4, next_at = ?5, last_status = ?6, last_error = ?7
         WHERE endpoint = ?1 AND event = ?2",
    )?;
    let updated = apply.execute(params![
        id_bytes!(update.endpoint),
        id_bytes!(update.event),
        status_number(update.status),
        update.attempts,
        millis(update.next_at),
        update.last_status,
        update.last_error
    ]);
    updated.map(drop)
}

const fn status_number(status: DeliveryStatus) -> i64 {
    match status {
        DeliveryStatus::Pending => 0,
        DeliveryStatus::Delivered => 1,
        DeliveryStatus::Failed => 2,
    }
}

fn read(row: &SqliteRow) -> Result<Delivery, StoreError> {
    let status = match row.get::<i64, _>(6) {
        0 => DeliveryStatus::Pending,
        1 => DeliveryStatus::Delivered,
        2 => DeliveryStatus::Failed,
        other => return Err(damaged(format!("a webhook's status {other}"))),
    };
    Ok(Delivery {
        endpoint: EndpointId::from_u128(id_bits(row.get(0))?),
        event: EventId::from_u128(id_bits(row.get(1))?),
        message: MessageId::from_u128(id_bits(row.get(2))?),
        event_type: row.get(3),
        body: row.get(4),
        created_at: instant(row.get(5)),
        status,
        attempts: row.get(7),
        next_at: instant(row.get(8)),
        last_status: row.get(9),
        last_error: row.get(10),
    })
}
