//! Counts, changed with each commit.

use async_trait::async_trait;
use hermes_domain::{
    TenantId,
    address::Channel,
    message::Mode,
    tenant::TenantScope,
    usage::{UsageCounts, UsageEntry, UsageKey},
};
use hermes_ports::{StoreError, UsageLog, usage_log::UsageQuery};
use rusqlite::{Connection, params};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, mode_number, rows, unreadable},
};

const ADD: &str = "INSERT INTO usage
    (day, tenant, mode, channel, connection, country, currency, messages, attempts, accepted, segments, delivered,
     cost)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
    ON CONFLICT DO UPDATE SET messages = messages + ?8, attempts = attempts + ?9, accepted = accepted + ?10,
    segments = segments + ?11, delivered = delivered + ?12, cost = cost + ?13";
const READ: &str = "SELECT day, tenant, mode, channel, connection, country, currency,
    messages, attempts, accepted, segments, delivered, cost FROM usage
    WHERE day BETWEEN ?1 AND ?2 AND (?3 IS NULL OR (tenant = ?3 AND mode = ?4))
    ORDER BY day, tenant, mode, channel, connection, country, currency LIMIT ?5";

/// Adds to the counts.
pub(crate) fn add(db: &Connection, entries: &[UsageEntry]) -> rusqlite::Result<()> {
    for UsageEntry { key, counts } in entries {
        db.prepare_cached(ADD)?.execute(params![
            key.day,
            id_bytes!(key.scope.tenant),
            mode_number(key.scope.mode),
            key.channel.as_str(),
            key.connection.as_deref().unwrap_or_default(),
            key.country.as_deref().unwrap_or_default(),
            key.currency.as_ref().map_or("", |currency| currency.as_str()),
            counts.messages,
            counts.attempts,
            counts.accepted,
            counts.segments,
            counts.delivered,
            counts.cost_micros,
        ])?;
    }
    Ok(())
}

#[async_trait]
impl UsageLog for EmbeddedBackend {
    async fn counts(
        &self,
        query: UsageQuery,
        limit: usize,
    ) -> Result<Vec<(UsageKey, UsageCounts)>, StoreError> {
        let statement = sqlx::query(READ)
            .bind(query.from_day)
            .bind(query.to_day)
            .bind(query.scope.map(|scope| id_bytes!(scope.tenant).to_vec()))
            .bind(query.scope.map(|scope| mode_number(scope.mode)))
            .bind(rows(limit));
        let found = statement.fetch_all(self.reads()).await.map_err(unreadable("reading usage"))?;
        found.iter().map(read).collect()
    }
}

fn read(row: &SqliteRow) -> Result<(UsageKey, UsageCounts), StoreError> {
    let text = |column: usize| Some(row.get::<String, _>(column)).filter(|text| !text.is_empty());
    let name: String = row.get(3);
    let channel = Channel::ALL.into_iter().find(|channel| channel.as_str() == name);
    let mode = if row.get::<i64, _>(2) == 0 { Mode::Live } else { Mode::Test };
    let currency =
        text(6).map(|code| code.parse()).transpose().map_err(|_| damaged("a currency of usage"))?;
    let key = UsageKey {
        day: row.get(0),
        scope: TenantScope::new(TenantId::from_u128(id_bits(row.get(1))?), mode),
        channel: channel.ok_or_else(|| damaged("a channel of usage"))?,
        connection: text(4),
        country: text(5),
        currency,
    };
    let counts = UsageCounts {
        messages: row.get(7),
        attempts: row.get(8),
        accepted: row.get(9),
        segments: row.get(10),
        delivered: row.get(11),
        cost_micros: row.get(12),
    };
    Ok((key, counts))
}
