//! Batches: their rows.

use hermes_domain::{
    BatchId, MessageId, TenantId, UnixMillis,
    batch::{Batch, BatchCounts, BatchItem, BatchState, ItemOutcome},
    message::Mode,
    tenant::TenantScope,
};
use hermes_ports::StoreError;
use rusqlite::{Connection, OptionalExtension as _, Params, params};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use crate::columns::{damaged, id_bits, id_bytes, instant, millis, mode_number};

/// In the order that [`stored`] reads them.
pub(crate) const COLUMNS: &str =
    "id, tenant, mode, state, key, request_id, total, accepted, refused, cancelled, created_at, updated_at";

/// Bits of a key that say the place within a batch.
const PLACE_BITS: u32 = 20;
/// Rows removed in one transaction.
const REMOVED_MAX: i64 = 500;
/// How long a batch is kept after its last change, in milliseconds (100 days): longer than its messages may be scheduled
/// ahead.
const KEPT_MS: u64 = 100 * 24 * 3_600_000;

/// The key of an item.
pub(crate) const fn place(number: i64, index: u32) -> i64 {
    (number << PLACE_BITS) + index as i64
}

/// The place of an item within its batch.
pub(crate) fn index(key: i64) -> u32 {
    u32::try_from(key & ((1 << PLACE_BITS) - 1)).unwrap_or_default()
}

/// A batch as writers find it.
pub(crate) struct Found {
    pub(crate) number: i64,
    pub(crate) total: i64,
}

impl Found {
    pub(crate) const fn first_key(&self) -> i64 {
        place(self.number, 0)
    }

    /// Removes at most `limit` lines and as many items; whether there was any.
    pub(crate) fn clear(&self, db: &Connection, limit: i64) -> rusqlite::Result<bool> {
        let mut removed = 0;
        for text in [
            "DELETE FROM batch_line WHERE key IN
             (SELECT key FROM batch_line WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3)",
            "DELETE FROM batch_item WHERE key IN
             (SELECT key FROM batch_item WHERE key >= ?1 AND key < ?2 ORDER BY key LIMIT ?3)",
        ] {
            let range = params![self.first_key(), place(self.number + 1, 0), limit];
            removed += db.prepare_cached(text)?.execute(range)?;
        }
        Ok(removed > 0)
    }

    pub(crate) fn delete(&self, db: &Connection) -> rusqlite::Result<()> {
        db.execute("DELETE FROM batch WHERE number = ?1", [self.number]).map(drop)
    }
}

/// Removes a piece of a batch, and the batch itself once nothing else is left; whether to go on.
pub(crate) fn remove_some(db: &Connection, number: i64) -> rusqlite::Result<bool> {
    let found = Found { number, total: 0 };
    let any = found.clear(db, REMOVED_MAX)?;
    if !any {
        found.delete(db)?;
    }
    Ok(any)
}

/// Removes a piece of a batch that ended long before `now`; how many are not done with.
pub(crate) fn prune(db: &Connection, now: UnixMillis) -> rusqlite::Result<usize> {
    let before = UnixMillis(now.0.saturating_sub(KEPT_MS));
    let text =
        "SELECT number FROM batch WHERE state IN ('cancelled', 'completed') AND updated_at < ?1 LIMIT 1";
    let found: Option<i64> =
        db.prepare_cached(text)?.query_row([millis(before)], |row| row.get(0)).optional()?;
    let Some(number) = found else { return Ok(0) };
    remove_some(db, number)?;
    Ok(1)
}

/// The batch, if it is the scope's and in the state.
pub(crate) fn find(
    db: &Connection,
    scope: TenantScope,
    id: BatchId,
    state: Option<BatchState>,
) -> rusqlite::Result<Option<Found>> {
    let mut find = db.prepare_cached(
        "SELECT number, total FROM batch
         WHERE id = ?1 AND tenant = ?2 AND mode = ?3 AND (?4 IS NULL OR state = ?4)",
    )?;
    let (tenant, mode) = (id_bytes!(scope.tenant), mode_number(scope.mode));
    let of = params![id_bytes!(id), tenant, mode, state.map(BatchState::as_str)];
    find.query_row(of, |row| Ok(Found { number: row.get(0)?, total: row.get(1)? })).optional()
}

/// The number of the new batch; `None` when its id exists.
pub(crate) fn insert(db: &Connection, batch: &Batch) -> rusqlite::Result<Option<i64>> {
    let mut insert = db.prepare_cached(
        "INSERT INTO batch (id, tenant, mode, state, key, request_id, total, accepted, refused, cancelled, created_at,
                            updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT (id) DO NOTHING RETURNING number",
    )?;
    let BatchCounts { total, accepted, refused, cancelled } = batch.counts;
    let values = params![
        id_bytes!(batch.id),
        id_bytes!(batch.scope.tenant),
        mode_number(batch.scope.mode),
        batch.state.as_str(),
        batch.key,
        batch.request_id,
        total,
        accepted,
        refused,
        cancelled,
        millis(batch.created_at),
        millis(batch.updated_at)
    ];
    insert.query_row(values, |row| row.get(0)).optional()
}

/// Keeps what became of an item that does not wait.
pub(crate) fn insert_item(db: &Connection, key: i64, outcome: &ItemOutcome) -> rusqlite::Result<()> {
    let (message, problem) = match outcome {
        ItemOutcome::Accepted(id) => (Some(*id), None),
        ItemOutcome::Refused(problem) => (None, Some(problem)),
        ItemOutcome::Cancelled | ItemOutcome::Waiting => (None, None),
    };
    let mut insert =
        db.prepare_cached("INSERT INTO batch_item (key, message, stored, problem) VALUES (?1, ?2, ?3, ?4)")?;
    let stored = message.map(MessageId::storage_key);
    insert.execute(params![key, message.map(|id| id_bytes!(id)), stored, problem]).map(drop)
}

/// Settles those items that still wait, and counts them.
pub(crate) fn settle(
    db: &Connection,
    number: i64,
    items: &[BatchItem],
    now: UnixMillis,
) -> rusqlite::Result<()> {
    let mut counts = BatchCounts::default();
    let mut forget = db.prepare_cached("DELETE FROM batch_line WHERE key = ?1")?;
    for BatchItem { index, outcome } in items {
        let key = place(number, *index);
        if forget.execute([key])? > 0 {
            insert_item(db, key, outcome)?;
            counts.count(outcome);
        }
    }
    let mut count = db.prepare_cached(
        "UPDATE batch SET accepted = accepted + ?2, refused = refused + ?3, cancelled = cancelled + ?4, updated_at = ?5
         WHERE number = ?1",
    )?;
    count.execute(params![number, counts.accepted, counts.refused, counts.cancelled, millis(now)]).map(drop)
}

/// Whether the batch was in the first state; it is in the second one then.
pub(crate) fn change_state(
    db: &Connection,
    scope: TenantScope,
    id: BatchId,
    (from, to): (BatchState, BatchState),
    now: UnixMillis,
) -> rusqlite::Result<bool> {
    let Some(found) = find(db, scope, id, Some(from))? else { return Ok(false) };
    let mut update = db.prepare_cached("UPDATE batch SET state = ?2, updated_at = ?3 WHERE number = ?1")?;
    update.execute(params![found.number, to.as_str(), millis(now)])?;
    Ok(true)
}

pub(crate) fn numbers(db: &Connection, text: &str, of: impl Params) -> rusqlite::Result<Vec<i64>> {
    let mut select = db.prepare_cached(text)?;
    select.query_map(of, |row| row.get(0))?.collect()
}

/// Everything that a scope may see.
pub(crate) fn of_scope(scope: TenantScope) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM batch WHERE tenant = "));
    query.push_bind(id_bytes!(scope.tenant).to_vec()).push(" AND mode = ").push_bind(mode_number(scope.mode));
    query.push(" AND state <> 'receiving'");
    query
}

pub(crate) fn stored(row: &SqliteRow) -> Result<Batch, StoreError> {
    let count = |column: usize| u32::try_from(row.get::<i64, _>(column)).unwrap_or(u32::MAX);
    let mode = if row.get::<i64, _>(2) == mode_number(Mode::Test) { Mode::Test } else { Mode::Live };
    let state: &str = row.get(3);
    let state = BatchState::ALL.into_iter().find(|one| one.as_str() == state);
    Ok(Batch {
        id: BatchId::from_u128(id_bits(row.get(0))?),
        scope: TenantScope::new(TenantId::from_u128(id_bits(row.get(1))?), mode),
        state: state.ok_or_else(|| damaged("a batch of a later build"))?,
        key: row.get(4),
        request_id: row.get(5),
        counts: BatchCounts { total: count(6), accepted: count(7), refused: count(8), cancelled: count(9) },
        created_at: instant(row.get(10)),
        updated_at: instant(row.get(11)),
    })
}

/// From `key, message, problem, waits`.
pub(crate) fn item(row: &SqliteRow) -> Result<BatchItem, StoreError> {
    let outcome = match (row.get::<Option<&[u8]>, _>(1), row.get::<Option<String>, _>(2)) {
        (Some(id), _) => ItemOutcome::Accepted(MessageId::from_u128(id_bits(id)?)),
        (None, Some(problem)) => ItemOutcome::Refused(problem),
        (None, None) if row.get::<i64, _>(3) == 1 => ItemOutcome::Waiting,
        (None, None) => ItemOutcome::Cancelled,
    };
    Ok(BatchItem { index: index(row.get(0)), outcome })
}
