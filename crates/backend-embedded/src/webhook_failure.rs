//! How long webhook endpoints have been failing.

use hermes_domain::{EndpointId, UnixMillis, failure_streak::FailureStreak};
use hermes_ports::StoreError;
use rusqlite::{Connection, OptionalExtension, params};
use sqlx::{Row, SqlitePool};

use crate::columns::{id_bytes, instant, millis, unreadable};

/// Adds a failure at `at`. Most failures of a streak write nothing.
pub(crate) fn add(db: &Connection, endpoint: EndpointId, at: UnixMillis) -> rusqlite::Result<()> {
    let mut find = db.prepare_cached("SELECT since, seen FROM webhook_failure WHERE endpoint = ?1")?;
    let streak = |row: &rusqlite::Row<'_>| {
        Ok(FailureStreak { since: instant(row.get(0)?), seen: instant(row.get(1)?) })
    };
    let before = find.query_row([id_bytes!(endpoint)], streak).optional()?;
    let after = FailureStreak::after(before, at);
    if before == Some(after) {
        return Ok(());
    }
    let mut put = db.prepare_cached(
        "INSERT OR REPLACE INTO webhook_failure (endpoint, since, seen) VALUES (?1, ?2, ?3)",
    )?;
    put.execute(params![id_bytes!(endpoint), millis(after.since), millis(after.seen)]).map(drop)
}

/// An endpoint works, or starts afresh. Writes nothing for one that was not failing.
pub(crate) fn forget(db: &Connection, endpoint: EndpointId) -> rusqlite::Result<()> {
    let mut delete = db.prepare_cached("DELETE FROM webhook_failure WHERE endpoint = ?1")?;
    delete.execute([id_bytes!(endpoint)]).map(drop)
}

/// Forgets streaks without a failure since `before`: of endpoints that are gone, disabled or never asked for.
pub(crate) fn prune(db: &Connection, before: UnixMillis) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM webhook_failure WHERE seen < ?1")?.execute([millis(before)]).map(drop)
}

/// The streak of an endpoint.
pub(crate) async fn of(
    reads: &SqlitePool,
    endpoint: EndpointId,
) -> Result<Option<FailureStreak>, StoreError> {
    let query = sqlx::query("SELECT since, seen FROM webhook_failure WHERE endpoint = ?");
    let found = query.bind(id_bytes!(endpoint).to_vec()).fetch_optional(reads).await;
    let found = found.map_err(unreadable("reading failures of a webhook"))?;
    Ok(found.map(|row| FailureStreak { since: instant(row.get(0)), seen: instant(row.get(1)) }))
}
