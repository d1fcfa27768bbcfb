//! What people have written. Their addresses are encrypted under their data keys, like those of messages.

use std::collections::HashMap;

use async_trait::async_trait;
use hermes_domain::{
    ConnectionId, InboundId, MessageId, TenantId, UnixMillis, address::Channel, message::Mode,
    recipient_address::RecipientAddress, tenant::TenantScope,
};
use hermes_ports::{
    InboundLog, StoreError,
    inbound_log::{INBOUND_MAX, InboundEntry, InboundMeaning, InboundQuery},
};
use hermes_sealing::{KeyId, SealError};
use rusqlite::{Connection, params};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, instant, millis, mode_number, rows, unreadable},
    key_ring::KeyRing,
    schema::{self, set_secure_delete},
    term,
    vault::Known,
    writer::WriteTx,
};

/// Entries of a tenant forgotten in one transaction, so that commits hardly wait.
const DISCARD_RUN: usize = 500;

#[async_trait]
impl InboundLog for EmbeddedBackend {
    async fn keep(&self, entry: InboundEntry, digest: [u8; 32]) -> Result<(), StoreError> {
        let keep = move |tx: &mut WriteTx<'_>| {
            if insert(tx, &entry, digest)? {
                make_room(tx.db, entry.scope)?;
            }
            Ok(Ok(()))
        };
        self.writer().write("keeping an inbound message", keep).await
    }

    async fn newest(&self, query: InboundQuery) -> Result<Vec<InboundEntry>, StoreError> {
        let scope = query.scope;
        let mut select = QueryBuilder::<Sqlite>::new(
            "SELECT id, channel, data_key, address, told_to, kind, connection, message, received_at
             FROM inbound WHERE tenant = ",
        );
        select.push_bind(id_bytes!(scope.tenant).to_vec());
        select.push(" AND mode = ").push_bind(mode_number(scope.mode));
        if let Some(from) = query.from {
            // None for whoever has no key: nothing is known of them.
            let term = self.term_of(scope, &RecipientAddress::wanted(&from)).await?;
            let Some(term) = term else { return Ok(Vec::new()) };
            select.push(" AND term = ").push_bind(term);
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
        let known = self
            .known_keys(found.iter().filter_map(|row| row.get::<Option<i64>, _>(2)).map(KeyId).collect())
            .await?;
        found.iter().map(|row| stored(row, scope, &known)).collect()
    }

    async fn discard_all(&self, tenant: TenantId) -> Result<(), StoreError> {
        let discard = move |tx: &mut WriteTx<'_>| {
            set_secure_delete(tx.db, true)?;
            let gone = discard(tx.db, tenant)?;
            set_secure_delete(tx.db, false)?;
            Ok(Ok(gone))
        };
        while self.writer().write("forgetting a tenant's inbound messages", discard).await? == DISCARD_RUN {}
        Ok(())
    }
}

/// Whether it is new.
fn insert(tx: &mut WriteTx<'_>, entry: &InboundEntry, digest: [u8; 32]) -> rusqlite::Result<bool> {
    let sealed = match &entry.from {
        Some(from) => Some(seal(tx.db, tx.keys, (entry.scope, entry.channel, entry.id), from)?),
        None => None,
    };
    let (data_key, term, address) =
        sealed.map_or((None, None, None), |one| (Some(one.key.0), Some(one.term), Some(one.address)));
    let mut insert = tx.db.prepare_cached(
        "INSERT INTO inbound (tenant, mode, id, channel, data_key, term, address, told_to, kind, connection, message,
         digest, received_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13) ON CONFLICT DO NOTHING",
    )?;
    let inserted = insert.execute(params![
        id_bytes!(entry.scope.tenant),
        mode_number(entry.scope.mode),
        id_bytes!(entry.id),
        entry.channel.as_str(),
        data_key,
        term,
        address,
        entry.to,
        entry.meaning.as_str(),
        id_bytes!(entry.connection),
        entry.message.map(|message| id_bytes!(message)),
        digest,
        millis(entry.received_at)
    ])?;
    Ok(inserted > 0)
}

/// An address as it is stored.
struct SealedAddress {
    key: KeyId,
    term: i64,
    address: Vec<u8>,
}

/// Seals the address of who wrote an entry.
fn seal(
    db: &Connection,
    keys: &mut KeyRing,
    (scope, channel, id): (TenantScope, Channel, InboundId),
    from: &str,
) -> rusqlite::Result<SealedAddress> {
    let recipient = term::recipient(keys.vault().key(), scope, &RecipientAddress::on(channel, from));
    let (key, data) = keys.of(db, recipient)?;
    let address = data.seal(&owner(scope, id), from.as_bytes()).map_err(unsealed)?;
    Ok(SealedAddress { key, term: data.term(), address })
}

/// What a sealed address belongs to.
fn owner(scope: TenantScope, id: InboundId) -> [u8; 33] {
    let mut owner = [0; 33];
    owner[..16].copy_from_slice(&id_bytes!(scope.tenant));
    owner[16] = u8::from(mode_number(scope.mode) == 1);
    owner[17..].copy_from_slice(&id_bytes!(id));
    owner
}

fn unsealed(cause: SealError) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(Box::new(cause))
}

/// Seals the addresses that an earlier build has kept in plain text, before anybody is served; at most
/// [`INBOUND_MAX`] of each tenant and mode, some 20 µs each. Returns how many there were.
pub(crate) fn seal_plain(db: &Connection, keys: &mut KeyRing) -> rusqlite::Result<u64> {
    let mut sealed = 0;
    loop {
        keys.begin();
        let tx = db.unchecked_transaction()?;
        set_secure_delete(&tx, true)?;
        let run = seal_run(&tx, keys)?;
        set_secure_delete(&tx, false)?;
        tx.commit()?;
        keys.publish();
        sealed += run;
        if run == 0 {
            if sealed > 0 {
                schema::empty_log(db)?;
            }
            return Ok(sealed);
        }
    }
}

fn seal_run(db: &Connection, keys: &mut KeyRing) -> rusqlite::Result<u64> {
    let mut select = db.prepare_cached(
        "SELECT tenant, mode, id, channel, plain FROM inbound WHERE plain IS NOT NULL ORDER BY id LIMIT 1000",
    )?;
    let mut update = db.prepare_cached(
        "UPDATE inbound SET data_key = ?4, term = ?5, address = ?6, plain = NULL
         WHERE tenant = ?1 AND mode = ?2 AND id = ?3",
    )?;
    let rows = select.query_map([], |row| {
        let (tenant, id): ([u8; 16], [u8; 16]) = (row.get(0)?, row.get(2)?);
        let mode = if row.get::<_, i64>(1)? == 1 { Mode::Test } else { Mode::Live };
        let scope = TenantScope::new(TenantId::from_u128(u128::from_be_bytes(tenant)), mode);
        let id = InboundId::from_u128(u128::from_be_bytes(id));
        Ok((scope, id, row.get::<_, String>(3)?, row.get::<_, String>(4)?))
    })?;
    let mut sealed = 0;
    for (scope, id, channel, plain) in rows.collect::<rusqlite::Result<Vec<_>>>()? {
        let channel = named(&channel).unwrap_or(Channel::Sms);
        let one = seal(db, keys, (scope, channel, id), &plain)?;
        let (tenant, mode) = (id_bytes!(scope.tenant), mode_number(scope.mode));
        update.execute(params![tenant, mode, id_bytes!(id), one.key.0, one.term, one.address])?;
        sealed += 1;
    }
    Ok(sealed)
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

/// Forgets at most [`DISCARD_RUN`] entries of a tenant; returns how many.
fn discard(db: &Connection, tenant: TenantId) -> rusqlite::Result<usize> {
    let mut delete = db.prepare_cached(
        "DELETE FROM inbound WHERE tenant = ?1 AND (mode, id) IN (
            SELECT mode, id FROM inbound WHERE tenant = ?1 LIMIT ?2)",
    )?;
    delete.execute(params![id_bytes!(tenant), rows(DISCARD_RUN)])
}

fn named(channel: &str) -> Option<Channel> {
    Channel::ALL.into_iter().find(|one| one.as_str() == channel)
}

fn stored(
    row: &SqliteRow,
    scope: TenantScope,
    known: &HashMap<KeyId, Known>,
) -> Result<InboundEntry, StoreError> {
    let bits = |column: usize| id_bits(row.get::<&[u8], _>(column));
    let meaning = InboundMeaning::ALL.into_iter().find(|one| one.as_str() == row.get::<&str, _>(5));
    let (Some(channel), Some(meaning)) = (named(row.get(1)), meaning) else {
        return Err(damaged("an inbound message of an unknown kind"));
    };
    let message = row.get::<Option<&[u8]>, _>(7).map(id_bits).transpose()?;
    let id = InboundId::from_u128(bits(0)?);
    Ok(InboundEntry {
        id,
        scope,
        channel,
        from: opened(row, &owner(scope, id), known)?,
        to: row.get(4),
        meaning,
        connection: ConnectionId::from_u128(bits(6)?),
        message: message.map(MessageId::from_u128),
        received_at: instant(row.get(8)),
    })
}

/// Who wrote it; `None` once they are erased.
fn opened(
    row: &SqliteRow,
    owner: &[u8],
    known: &HashMap<KeyId, Known>,
) -> Result<Option<String>, StoreError> {
    let (Some(key), Some(address)) = (row.get::<Option<i64>, _>(2), row.get::<Option<&[u8]>, _>(3)) else {
        return Ok(None);
    };
    match known.get(&KeyId(key)) {
        Some(Known::Key(key)) => {
            let opened = key.open(owner, address).ok().and_then(|text| String::from_utf8(text).ok());
            opened.map(Some).ok_or_else(|| damaged("the address of an inbound message"))
        }
        Some(Known::Erased(_)) => Ok(None),
        None => Err(damaged("an inbound message whose data key is missing")),
    }
}
