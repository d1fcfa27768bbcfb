//! What people have written.

use async_trait::async_trait;
use hermes_domain::{ConnectionId, InboundId, MessageId, UnixMillis, address::Channel, tenant::TenantScope};
use hermes_ports::{
    InboundLog, StoreError,
    inbound_log::{INBOUND_MAX, InboundEntry, InboundMeaning, InboundQuery},
};
use rusqlite::{Connection, params};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, instant, millis, mode_number, rows, unreadable},
    writer::WriteTx,
};

#[async_trait]
impl InboundLog for EmbeddedBackend {
    async fn keep(&self, entry: InboundEntry, digest: [u8; 32]) -> Result<(), StoreError> {
        let keep = move |tx: &mut WriteTx<'_>| {
            if insert(tx.db, &entry, digest)? {
                make_room(tx.db, entry.scope)?;
            }
            Ok(Ok(()))
        };
        self.writer().write("keeping an inbound message", keep).await
    }

    async fn newest(&self, query: InboundQuery) -> Result<Vec<InboundEntry>, StoreError> {
        let scope = query.scope;
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT id, channel, address, told_to, kind, connection, message, received_at FROM inbound WHERE tenant = ",
        );
        select.push_bind(id_bytes!(scope.tenant).to_vec());
        select.push(" AND mode = ").push_bind(mode_number(scope.mode));
        if let Some(from) = query.from {
            select.push(" AND address = ").push_bind(from);
        }
        if let Some(channel) = query.channel {
            select.push(" AND channel = ").push_bind(channel.as_str());
        }
        if let Some(bound) = query.created_after {
            select.push(" AND received_at >= ").push_bind(millis(bound));
        }
        if let Some(before) = query.before {
            select.push(" AND id < ").push_bind(id_bytes!(before).to_vec());
        }
        select.push(" ORDER BY id DESC LIMIT ").push_bind(rows(query.limit));
        let found = select.build().fetch_all(self.reads()).await;
        let found = found.map_err(unreadable("listing inbound messages"))?;
        found.iter().map(|row| stored(row, scope)).collect()
    }
}

/// Whether it is new.
fn insert(db: &Connection, entry: &InboundEntry, digest: [u8; 32]) -> rusqlite::Result<bool> {
    let mut insert = db.prepare_cached(
        "INSERT INTO inbound
            (tenant, mode, id, channel, address, told_to, kind, connection, message, digest, received_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING",
    )?;
    let inserted = insert.execute(params![
        id_bytes!(entry.scope.tenant),
        mode_number(entry.scope.mode),
        id_bytes!(entry.id),
        entry.channel.as_str(),
        entry.from,
        entry.to,
        entry.meaning.as_str(),
        id_bytes!(entry.connection),
        entry.message.map(|message| id_bytes!(message)),
        digest,
        millis(entry.received_at)
    ])?;
    Ok(inserted > 0)
}

/// Forgets the oldest entries beyond the most.
fn make_room(db: &Connection, TenantScope { tenant, mode }: TenantScope) -> rusqlite::Result<()> {
    let mut delete = db.prepare_cached(
        "DELETE FROM inbound WHERE tenant = ?1 AND mode = ?2 AND id IN (
            SELECT id FROM inbound WHERE tenant = ?1 AND mode = ?2 ORDER BY id
            LIMIT max(0, (SELECT kept FROM inbound_count WHERE tenant = ?1 AND mode = ?2) - ?3))",
    )?;
    delete.execute(params![id_bytes!(tenant), mode_number(mode), rows(INBOUND_MAX)]).map(drop)
}

/// Forgets at most `limit` entries that arrived before `before`; returns how many.
pub(crate) fn prune(db: &Connection, before: UnixMillis, limit: usize) -> rusqlite::Result<usize> {
    let mut delete = db.prepare_cached(
        "DELETE FROM inbound WHERE (tenant, mode, id) IN (
            SELECT tenant, mode, id FROM inbound WHERE received_at < ?1 ORDER BY received_at LIMIT ?2)",
    )?;
    delete.execute(params![millis(before), rows(limit)])
}

fn stored(row: &SqliteRow, scope: TenantScope) -> Result<InboundEntry, StoreError> {
    let bits = |column: usize| id_bits(row.get::<&[u8], _>(column));
    let channel = Channel::ALL.into_iter().find(|one| one.as_str() == row.get::<&str, _>(1));
    let meaning = InboundMeaning::ALL.into_iter().find(|one| one.as_str() == row.get::<&str, _>(4));
    let (Some(channel), Some(meaning)) = (channel, meaning) else {
        return Err(damaged("an inbound message of an unknown kind"));
    };
    let message = row.get::<Option<&[u8]>, _>(6).map(id_bits).transpose()?;
    Ok(InboundEntry {
        id: InboundId::from_u128(bits(0)?),
        scope,
        channel,
        from: row.get(2),
        to: row.get(3),
        meaning,
        connection: ConnectionId::from_u128(bits(5)?),
        message: message.map(MessageId::from_u128),
        received_at: instant(row.get(7)),
    })
}
