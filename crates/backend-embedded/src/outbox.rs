//! Webhooks owed to tenants.
//!
//! Metadata of messages is not stored here: it is read from the messages, where it is encrypted, when a webhook is told.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, MessageId, UnixMillis, failure_streak::FailureStreak};
use hermes_ports::{
    Outbox, StoreError,
    outbox::{
        Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry, Redelivered, Selection, lacks_metadata,
        with_metadata,
    },
};
use rusqlite::{Connection, OptionalExtension, params};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, instant, millis, rows, unreadable},
    webhook_failure,
    writer::WriteTx,
};

/// Deliveries made pending in one transaction, so that commits hardly wait.
const REDELIVER_RUN: usize = 500;

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
            message_column(entry.message),
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
    let mut delete = db.prepare_cached(
        "DELETE FROM outbox WHERE endpoint = ?1 AND event IN
         (SELECT event FROM outbox WHERE endpoint = ?1 AND event < ?2 AND created_at < ?3 AND status <> 0 LIMIT ?4)",
    )?;
    let mut pruned = 0;
    for_each_endpoint(db, |endpoint| {
        pruned += delete.execute(params![endpoint, newest, millis(before), rows(limit)])?;
        Ok(())
    })?;
    Ok(pruned)
}

/// Every endpoint that the outbox knows: each costs one look, however much it holds of them.
fn for_each_endpoint(
    db: &Connection,
    mut run: impl FnMut(&[u8]) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let mut next = db.prepare_cached("SELECT min(endpoint) FROM outbox WHERE endpoint > ?1")?;
    let mut endpoint = Vec::new();
    while let Some(found) =
        next.query_row([&endpoint], |row| row.get::<_, Option<Vec<u8>>>(0)).optional()?.flatten()
    {
        run(&found)?;
        endpoint = found;
    }
    Ok(())
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
        self.with_metadata(found.iter().map(read).collect::<Result<_, _>>()?).await
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
        self.with_metadata(found.iter().map(read).collect::<Result<_, _>>()?).await
    }

    async fn failures(&self, endpoint: EndpointId) -> Result<Option<FailureStreak>, StoreError> {
        webhook_failure::of(self.reads(), endpoint).await
    }

    async fn restart(&self, endpoint: EndpointId) -> Result<u64, StoreError> {
        let now = millis(self.clock().now());
        let restart = move |tx: &mut WriteTx<'_>| {
            webhook_failure::forget(tx.db, endpoint)?;
            let mut due = tx.db.prepare_cached(
                "UPDATE outbox SET attempts = 0, next_at = ?2 WHERE endpoint = ?1 AND status = 0",
            )?;
            let count = due.execute(params![id_bytes!(endpoint), now])?;
            Ok(Ok(u64::try_from(count).unwrap_or(u64::MAX)))
        };
        self.writer().write("restarting a webhook", restart).await
    }

    async fn redeliverable(&self, endpoint: EndpointId, what: Selection) -> Result<u64, StoreError> {
        let endpoint = id_bytes!(endpoint).to_vec();
        let query = match what {
            Selection::Since(since) => sqlx::query_scalar(
                "SELECT count(*) FROM outbox WHERE endpoint = ? AND created_at >= ? AND status <> 0",
            )
            .bind(endpoint)
            .bind(millis(since)),
            Selection::Event(event) => {
                sqlx::query_scalar("SELECT count(*) FROM outbox WHERE endpoint = ? AND event = ?")
                    .bind(endpoint)
                    .bind(id_bytes!(event).to_vec())
            }
        };
        let count: i64 = query.fetch_one(self.reads()).await.map_err(unreadable("counting webhooks"))?;
        Ok(u64::try_from(count).unwrap_or_default())
    }

    async fn redeliver(
        &self,
        endpoint: EndpointId,
        what: Selection,
        limit: usize,
    ) -> Result<Redelivered, StoreError> {
        let (events, next_since) = match what {
            Selection::Event(event) => (vec![id_bytes!(event).to_vec()], None),
            Selection::Since(since) => self.finished_since(endpoint, since, limit).await?,
        };
        let (now, mut count) = (millis(self.clock().now()), 0);
        for run in events.chunks(REDELIVER_RUN) {
            let run = run.to_vec();
            let redeliver = move |tx: &mut WriteTx<'_>| make_pending(tx.db, endpoint, &run, now).map(Ok);
            count += self.writer().write("redelivering webhooks", redeliver).await?;
        }
        Ok(Redelivered { count, next_since })
    }
}

impl EmbeddedBackend {
    /// Completes bodies with what the messages' metadata are now: nothing, for one that is erased or gone.
    async fn with_metadata(&self, mut deliveries: Vec<Delivery>) -> Result<Vec<Delivery>, StoreError> {
        let lacking = |delivery: &&Delivery| lacks_metadata(&delivery.body);
        let messages: BTreeSet<_> = deliveries.iter().filter(lacking).filter_map(|one| one.message).collect();
        let metadata = self.metadata_of(&messages).await?;
        for delivery in deliveries.iter_mut().filter(|delivery| lacks_metadata(&delivery.body)) {
            let of = delivery.message.and_then(|message| metadata.get(&message));
            delivery.body = with_metadata(&delivery.body, of.unwrap_or(&BTreeMap::new()));
        }
        Ok(deliveries)
    }

    /// Finished deliveries of events since `since`, earliest first, and when the first one happened that is not
    /// among them. Looks at every row of the endpoint, so not in the writer.
    async fn finished_since(
        &self,
        endpoint: EndpointId,
        since: UnixMillis,
        limit: usize,
    ) -> Result<(Vec<Vec<u8>>, Option<UnixMillis>), StoreError> {
        let query = sqlx::query(
            "SELECT event, created_at FROM outbox WHERE endpoint = ? AND created_at >= ? AND status <> 0
             ORDER BY created_at, event LIMIT ?",
        );
        let query =
            query.bind(id_bytes!(endpoint).to_vec()).bind(millis(since)).bind(rows(limit.saturating_add(1)));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("finding webhooks"))?;
        let next_since = found.get(limit).map(|row| instant(row.get(1)));
        Ok((found.iter().take(limit).map(|row| row.get(0)).collect(), next_since))
    }
}

fn make_pending(
    db: &Connection,
    endpoint: EndpointId,
    events: &[Vec<u8>],
    now: i64,
) -> rusqlite::Result<u64> {
    let mut update = db.prepare_cached(
        "UPDATE outbox SET status = 0, attempts = 0, next_at = ?3 WHERE endpoint = ?1 AND event = ?2",
    )?;
    let mut count = 0;
    for event in events {
        count += u64::try_from(update.execute(params![id_bytes!(endpoint), event, now])?).unwrap_or_default();
    }
    Ok(count)
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
    ])?;
    if updated == 0 {
        return Ok(()); // It has been forgotten meanwhile.
    }
    match update.status {
        DeliveryStatus::Delivered => webhook_failure::forget(db, update.endpoint),
        DeliveryStatus::Pending | DeliveryStatus::Failed => {
            webhook_failure::add(db, update.endpoint, update.at)
        }
    }
}

/// Empty for an event that is about no message.
fn message_column(message: Option<MessageId>) -> Vec<u8> {
    message.map_or_else(Vec::new, |message| id_bytes!(message).to_vec())
}

fn message(column: &[u8]) -> Result<Option<MessageId>, StoreError> {
    if column.is_empty() { Ok(None) } else { id_bits(column).map(|bits| Some(MessageId::from_u128(bits))) }
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
        message: message(row.get(2))?,
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
