//! Idempotency keys.

use async_trait::async_trait;
use hermes_domain::{MessageId, TenantId, UnixMillis, message::Mode};
use hermes_ports::{
    Idempotency, StoreError,
    idempotency::{Claim, ClaimResult, StoredReply},
};
use rusqlite::{Connection, OptionalExtension, params};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, instant, millis, mode_number, unreadable},
};

/// Whether somebody holds the key at `now`: anybody but the message `own`.
pub(crate) fn is_taken(
    db: &Connection,
    claim: &Claim,
    now: UnixMillis,
    own: Option<MessageId>,
) -> rusqlite::Result<bool> {
    let mut find = db.prepare_cached(
        "SELECT message, expires_at FROM claim WHERE tenant = ?1 AND mode = ?2 AND key = ?3",
    )?;
    let of = params![id_bytes!(claim.tenant), mode_number(claim.mode), claim.key];
    let held = find.query_row(of, |row| Ok((row.get::<_, Option<Vec<u8>>>(0)?, row.get::<_, i64>(1)?)));
    Ok(held.optional()?.is_some_and(|(message, expires_at)| {
        let is_own = own.is_some_and(|own| message.as_deref() == Some(&id_bytes!(own)[..]));
        !is_own && instant(expires_at) > now
    }))
}

/// Writes a claim over an expired one.
pub(crate) fn put(db: &Connection, claim: &Claim) -> rusqlite::Result<()> {
    let (message, reply) = match &claim.result {
        ClaimResult::Message(id) => (Some(id_bytes!(id)), None),
        ClaimResult::Reply(reply) => (None, Some(reply)),
    };
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO claim (tenant, mode, key, fingerprint, message, status, body, expires_at, location, etag)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?;
    let inserted = insert.execute(params![
        id_bytes!(claim.tenant),
        mode_number(claim.mode),
        claim.key,
        claim.fingerprint,
        message,
        reply.map(|reply| reply.status),
        reply.map(|reply| &reply.body),
        millis(claim.expires_at),
        reply.and_then(|reply| reply.location.as_ref()),
        reply.and_then(|reply| reply.etag.as_ref())
    ]);
    inserted.map(drop)
}

/// Forgets at most `limit` claims that expired before `now`; returns how many.
pub(crate) fn prune(db: &Connection, now: UnixMillis, limit: usize) -> rusqlite::Result<usize> {
    let mut delete = db.prepare_cached(
        "DELETE FROM claim WHERE (tenant, mode, key) IN
         (SELECT tenant, mode, key FROM claim WHERE expires_at < ?1 ORDER BY expires_at LIMIT ?2)",
    )?;
    delete.execute(params![millis(now), i64::try_from(limit).unwrap_or(i64::MAX)])
}

#[async_trait]
impl Idempotency for EmbeddedBackend {
    async fn find(
        &self,
        tenant: TenantId,
        mode: Mode,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Claim>, StoreError> {
        let query = sqlx::query(
            "SELECT fingerprint, message, status, body, expires_at, location, etag FROM claim
             WHERE tenant = ? AND mode = ? AND key = ? AND expires_at > ?",
        );
        let query =
            query.bind(id_bytes!(tenant).to_vec()).bind(mode_number(mode)).bind(key).bind(millis(now));
        let row = query.fetch_optional(self.reads()).await.map_err(unreadable("looking for a claim"))?;
        row.map(|row| read(&row, tenant, mode, key)).transpose()
    }

    async fn save(&self, claim: Claim) -> Result<(), StoreError> {
        let now = self.clock().now();
        let save = move |tx: &mut crate::writer::WriteTx<'_>| {
            if is_taken(tx.db, &claim, now, None)? {
                return Ok(Err(StoreError::ClaimTaken));
            }
            put(tx.db, &claim).map(Ok)
        };
        self.writer().write("saving a claim", save).await
    }
}

fn read(row: &SqliteRow, tenant: TenantId, mode: Mode, key: &str) -> Result<Claim, StoreError> {
    let fingerprint: &[u8] = row.get(0);
    let result = match (row.get::<Option<&[u8]>, _>(1), row.get::<Option<u16>, _>(2)) {
        (Some(id), _) => ClaimResult::Message(MessageId::from_u128(id_bits(id)?)),
        (None, Some(status)) => StoredReply {
            status,
            body: row.get::<Option<String>, _>(3).unwrap_or_default(),
            location: row.get(5),
            etag: row.get(6),
        }
        .into(),
        (None, None) => return Err(damaged("a claim without result")),
    };
    Ok(Claim {
        tenant,
        mode,
        key: key.to_owned(),
        fingerprint: fingerprint.try_into().map_err(|_| damaged("a claim's fingerprint"))?,
        result,
        expires_at: instant(row.get(4)),
    })
}
