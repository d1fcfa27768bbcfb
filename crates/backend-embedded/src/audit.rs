//! Who did what.

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{TenantId, message::Mode, tenant::TenantScope};
use hermes_ports::{
    AuditLog, AuditRead, StoreError,
    audit::{
        ActorKind, AuditCounts, AuditEntry, AuditEvent, AuditHash, AuditHead, AuditPhase, AuditQuery,
        GENESIS, link,
    },
    registry::{Record, RecordKind},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use sqlx::{Row, SqlitePool, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bytes, instant, millis, mode_number, rows, unreadable},
    registry,
    writer::{Change, WriteTx},
};

/// Record that names the newest entry: sequence number and hash, 40 bytes.
const HEAD: &str = "audit_head";
const COLUMNS: &str =
    "sequence, at, actor, role, action, target, request_id, intent, status, hash, tenant, mode, counts";

#[async_trait]
impl AuditLog for EmbeddedBackend {
    async fn append(&self, event: AuditEvent) -> Result<AuditEntry, StoreError> {
        self.writer().write("writing the audit log", move |tx| append(tx, &event)).await
    }
}

#[async_trait]
impl AuditRead for EmbeddedBackend {
    async fn list(&self, query: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        list(self.reads(), query).await
    }

    async fn after(&self, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        entries_after(self.reads(), after, limit).await
    }

    async fn head(&self) -> Result<Option<AuditHead>, StoreError> {
        head(self.reads()).await
    }
}

fn append(tx: &WriteTx<'_>, event: &AuditEvent) -> Change<AuditEntry> {
    let last = match last(tx.db)? {
        Ok(last) => last,
        Err(damaged) => return Ok(Err(damaged)),
    };
    let sequence = last.sequence + 1;
    let entry = AuditEntry { sequence, event: event.clone(), hash: link(&last.hash, sequence, event) };
    let (intent, status) = match event.phase {
        AuditPhase::Intent => (None, None),
        AuditPhase::Outcome { intent, status } => (intent.map(number), Some(status)),
    };
    let text = format!(
        "INSERT INTO audit ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)"
    );
    let mut insert = tx.db.prepare_cached(&text)?;
    insert.execute(params![
        number(sequence),
        millis(event.at),
        event.actor,
        event.role,
        event.action,
        event.target,
        event.request_id,
        intent,
        status,
        entry.hash,
        event.owner.map(|owner| id_bytes!(owner.tenant)),
        event.owner.map(|owner| mode_number(owner.mode)),
        counted(&event.counts)
    ])?;
    let body = Bytes::from([&sequence.to_be_bytes()[..], &entry.hash].concat());
    let head = Record { kind: RecordKind::Meta, id: HEAD.to_owned(), body, secret: None, version: 0 };
    Ok(registry::put(tx, &head, None)?.map(|_| entry))
}

/// What the next entry follows: the head, or the newest entry where the head is behind it or gone. After entries were
/// removed the head is ahead, and the gap stays.
fn last(db: &Connection) -> Change<AuditHead> {
    let mut find = db.prepare_cached("SELECT body FROM record WHERE kind = ?1 AND id = ?2")?;
    let body: Option<Vec<u8>> =
        find.query_row(params![RecordKind::Meta.as_str(), HEAD], |row| row.get(0)).optional()?;
    let mut newest = db.prepare_cached("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1")?;
    let newest = newest
        .query_row([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
        .optional()?
        .map_or(AuditHead { sequence: 0, hash: GENESIS }, |(sequence, hash)| AuditHead {
            sequence: sequence.unsigned_abs(),
            hash: hash_of(&hash),
        });
    Ok(match body.as_deref().map(read_head) {
        None => Ok(newest),
        Some(head) => head.map(|head| if head.sequence >= newest.sequence { head } else { newest }),
    })
}

pub(crate) async fn list(reads: &SqlitePool, wanted: AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
    // A tenant's own entries come from their index; others are looked through from the newest.
    let of_tenant = if wanted.tenant.is_some() { "tenant = ?7" } else { "?7 IS NULL" };
    let text = format!(
        "SELECT {COLUMNS} FROM audit
         WHERE sequence < ?1 AND at >= ?2 AND (?3 IS NULL OR actor = ?3) AND (?4 IS NULL OR action = ?4)
           AND (?5 IS NULL OR instr('/' || target || '/', '/' || ?5 || '/') > 0)
           AND {of_tenant} AND (?8 IS NULL OR mode = ?8) AND (?9 IS NULL OR (tenant IS NOT NULL) = ?9)
         ORDER BY sequence DESC LIMIT ?6"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(wanted.before.map_or(i64::MAX, number))
        .bind(wanted.since.map_or(0, millis))
        .bind(wanted.actor)
        .bind(wanted.action)
        .bind(wanted.target)
        .bind(rows(wanted.limit.saturating_add(1)))
        .bind(wanted.tenant.map(|tenant| id_bytes!(tenant).to_vec()))
        .bind(wanted.mode.map(mode_number))
        .bind(wanted.actor_kind.map(|kind| kind == ActorKind::Tenant));
    let found = query.fetch_all(reads).await.map_err(unreadable("listing the audit log"))?;
    Ok(found.iter().map(read).collect())
}

pub(crate) async fn entries_after(
    reads: &SqlitePool,
    after: u64,
    limit: usize,
) -> Result<Vec<AuditEntry>, StoreError> {
    let text = format!("SELECT {COLUMNS} FROM audit WHERE sequence > ?1 ORDER BY sequence LIMIT ?2");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(number(after)).bind(rows(limit));
    let found = query.fetch_all(reads).await.map_err(unreadable("reading the audit log"))?;
    Ok(found.iter().map(read).collect())
}

pub(crate) async fn head(reads: &SqlitePool) -> Result<Option<AuditHead>, StoreError> {
    let query = sqlx::query("SELECT body FROM record WHERE kind = ? AND id = ?");
    let row = query.bind(RecordKind::Meta.as_str()).bind(HEAD).fetch_optional(reads).await;
    let row = row.map_err(unreadable("reading the head of the audit log"))?;
    row.map(|row| read_head(&row.get::<Vec<u8>, _>(0))).transpose()
}

fn read_head(body: &[u8]) -> Result<AuditHead, StoreError> {
    let unreadable = || damaged("the head of the audit log");
    let (sequence, hash) = body.split_at_checked(8).ok_or_else(unreadable)?;
    let sequence = u64::from_be_bytes(sequence.try_into().map_err(|_| unreadable())?);
    Ok(AuditHead { sequence, hash: hash.try_into().map_err(|_| unreadable())? })
}

/// A hash of another length is none: it becomes zeros, which no entry has.
fn hash_of(column: &[u8]) -> AuditHash {
    column.try_into().unwrap_or(GENESIS)
}

fn number(sequence: u64) -> i64 {
    i64::try_from(sequence).unwrap_or(i64::MAX)
}

fn counted(counts: &AuditCounts) -> Option<String> {
    (!counts.is_empty()).then(|| serde_json::json!(counts).to_string())
}

/// Something else than counts becomes one that nothing has, so that the entry's hash contradicts it.
fn counts(column: &str) -> AuditCounts {
    serde_json::from_str(column).unwrap_or_else(|_| AuditCounts::from([("unreadable".to_owned(), 0)]))
}

/// Something else than a tenant and a mode becomes a tenant that nobody is, for the same reason.
fn owner(tenant: Option<Vec<u8>>, mode: Option<i64>) -> Option<TenantScope> {
    if tenant.is_none() && mode.is_none() {
        return None;
    }
    let known = [Mode::Live, Mode::Test].into_iter().find(|known| Some(mode_number(*known)) == mode);
    let bits = tenant.and_then(|bytes| bytes.try_into().ok()).map(u128::from_be_bytes);
    let owner = bits.zip(known).map(|(bits, mode)| TenantScope::new(TenantId::from_u128(bits), mode));
    Some(owner.unwrap_or(TenantScope::new(TenantId::from_u128(0), Mode::Live)))
}

/// Whatever stands in the row: verifying must be able to say that it is wrong.
fn read(row: &SqliteRow) -> AuditEntry {
    let unsigned = |column: i64| u64::try_from(column).unwrap_or_default();
    let status: Option<i64> = row.get(8);
    let phase = status.map_or(AuditPhase::Intent, |status| AuditPhase::Outcome {
        intent: row.get::<Option<i64>, _>(7).map(unsigned),
        status: u16::try_from(status).unwrap_or_default(),
    });
    let event = AuditEvent {
        at: instant(row.get(1)),
        actor: row.get(2),
        role: row.get(3),
        owner: owner(row.get(10), row.get(11)),
        action: row.get(4),
        target: row.get(5),
        request_id: row.get(6),
        counts: row.get::<Option<String>, _>(12).map(|text| counts(&text)).unwrap_or_default(),
        phase,
    };
    AuditEntry { sequence: unsigned(row.get(0)), event, hash: hash_of(&row.get::<Vec<u8>, _>(9)) }
}
