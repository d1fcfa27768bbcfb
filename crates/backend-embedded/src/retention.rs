//! Takes messages away that were kept long enough.
//!
//! Each period of a tenant walks once over its messages, in order of arrival, and remembers how far it is. Messages that
//! have not ended are put aside and looked at again in each round, so that none holds up those behind it.

use std::sync::Arc;

use async_trait::async_trait;
use hermes_domain::{
    MessageId, UnixMillis,
    policy::{Kept, Retention},
    tenant::TenantScope,
};
use hermes_ports::{Copies, Retain, StoreError, cascade_store::StoredCascade, retention::Retained};
use hermes_sealing::sealed_envelope::{StoredEnvelope, without_personal};
use metrics::counter;
use rusqlite::{OptionalExtension as _, params};
use sqlx::Row as _;

use crate::{
    backend::EmbeddedBackend,
    columns::{id_bytes, mode_number, rows, unreadable},
    schema::set_secure_delete,
    term,
    vault::Known,
    writer::WriteTx,
};

/// Messages that were let go of, by `what`: their content, or the whole message.
const MESSAGES: &str = "hermes_retention_messages_total";
/// Messages of one transaction: about 10 ms, so that commits hardly wait.
const PAGE: usize = 200;
/// Pages of one period in one round.
const PAGES: usize = 20;

/// One period of a tenant.
#[derive(Clone, Copy, Debug)]
struct Period {
    scope: TenantScope,
    what: Kept,
    days: u32,
    now: UnixMillis,
}

/// A walk over the messages of one period.
#[derive(Clone, Copy, Debug)]
struct Walk<'a> {
    period: Period,
    rules: &'a Retention,
    copies: &'a dyn Copies,
}

/// What a page comes to.
#[derive(Debug, Default)]
struct Verdicts {
    due: Vec<StoredCascade>,
    /// Not ended yet.
    later: Vec<i64>,
    /// No longer to be looked at.
    settled: Vec<i64>,
}

#[async_trait]
impl Retain for EmbeddedBackend {
    async fn retain(
        &self,
        scope: TenantScope,
        rules: &Retention,
        copies: &dyn Copies,
    ) -> Result<Retained, StoreError> {
        let mut all = Retained::default();
        let now = self.clock().now();
        for what in Kept::ALL {
            for days in rules.all_days(what) {
                let period = Period { scope, what, days, now };
                let walk = Walk { period, rules, copies };
                let gone = self.look_again(walk).await? + self.walk(walk).await?;
                match what {
                    Kept::Content => all.contents += gone,
                    Kept::Message => all.messages += gone,
                }
            }
        }
        counter!(MESSAGES, "what" => "content").increment(all.contents);
        counter!(MESSAGES, "what" => "message").increment(all.messages);
        Ok(all)
    }

    async fn drop_keys(&self) -> Result<u64, StoreError> {
        self.sweep_keys().await
    }
}

impl EmbeddedBackend {
    /// Those that were put aside.
    async fn look_again(&self, walk: Walk<'_>) -> Result<u64, StoreError> {
        let query = sqlx::query(
            "SELECT l.key FROM retention_later l JOIN state s ON s.key = l.key
             WHERE l.tenant = ? AND l.mode = ? AND l.what = ? AND l.days = ? AND s.live = 0 ORDER BY l.key LIMIT ?",
        );
        let query = query
            .bind(id_bytes!(walk.period.scope.tenant).to_vec())
            .bind(mode_number(walk.period.scope.mode));
        let query = query.bind(kept_number(walk.period.what)).bind(walk.period.days).bind(rows(PAGE * PAGES));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("looking for what may go"))?;
        let keys: Vec<i64> = found.iter().map(|row| row.get(0)).collect();
        let mut gone = 0;
        for page in keys.chunks(PAGE) {
            gone += self.take_page(walk, page, None).await?;
        }
        Ok(gone)
    }

    /// Goes on where the walk is.
    async fn walk(&self, walk: Walk<'_>) -> Result<u64, StoreError> {
        let end = MessageId::new(Retention::before(walk.period.now, walk.period.days), 0).storage_key();
        let mut gone = 0;
        for _ in 0..PAGES {
            let query = sqlx::query(
                "SELECT key FROM term WHERE term = ?1 AND key < ?2 AND key >= coalesce((SELECT done_to FROM retention
                 WHERE tenant = ?3 AND mode = ?4 AND what = ?5 AND days = ?6), 0) ORDER BY key LIMIT ?7",
            );
            let query = query.bind(term::list(walk.period.scope.tenant, walk.period.scope.mode)).bind(end);
            let query = query
                .bind(id_bytes!(walk.period.scope.tenant).to_vec())
                .bind(mode_number(walk.period.scope.mode));
            let query = query.bind(kept_number(walk.period.what)).bind(walk.period.days).bind(rows(PAGE));
            let found = query.fetch_all(self.reads()).await.map_err(unreadable("looking for what may go"))?;
            let keys: Vec<i64> = found.iter().map(|row| row.get(0)).collect();
            let Some(last) = keys.last() else { break };
            gone += self.take_page(walk, &keys, Some(last + 1)).await?;
        }
        Ok(gone)
    }

    async fn take_page(&self, walk: Walk<'_>, keys: &[i64], done_to: Option<i64>) -> Result<u64, StoreError> {
        let mut verdicts = Verdicts::default();
        for stored in self.messages(keys).await? {
            let key = stored.envelope.id.storage_key();
            if walk.rules.days(walk.period.what, &stored.envelope.plan) != Some(walk.period.days) {
                verdicts.settled.push(key);
            } else if !stored.state.status().is_terminal() {
                verdicts.later.push(key);
            } else {
                verdicts.settled.push(key);
                verdicts.due.push(stored);
            }
        }
        // There first: what is done twice there is done once here.
        let due: Vec<_> = verdicts.due.iter().map(|stored| Arc::clone(&stored.envelope)).collect();
        walk.copies.let_go(walk.period.what, &due, walk.period.now).await?;
        let period = walk.period;
        let take = move |tx: &mut WriteTx<'_>| take(tx, period, &verdicts, done_to).map(Ok);
        self.writer().write("letting go of messages", take).await
    }
}

fn take(
    tx: &mut WriteTx<'_>,
    period: Period,
    verdicts: &Verdicts,
    done_to: Option<i64>,
) -> rusqlite::Result<u64> {
    set_secure_delete(tx.db, true)?;
    let mut gone = 0;
    for stored in &verdicts.due {
        let gone_now = match period.what {
            Kept::Content => erase_content(tx, stored, period.now)?,
            Kept::Message => delete(tx, stored)?,
        };
        gone += u64::from(gone_now);
    }
    set_secure_delete(tx.db, false)?;
    let (tenant, mode) = (id_bytes!(period.scope.tenant), mode_number(period.scope.mode));
    let what = kept_number(period.what);
    let mut put = tx.db.prepare_cached(
        "INSERT OR IGNORE INTO retention_later (tenant, mode, what, days, key) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for key in &verdicts.later {
        put.execute(params![tenant, mode, what, period.days, key])?;
    }
    let mut remove = tx.db.prepare_cached(
        "DELETE FROM retention_later WHERE tenant = ?1 AND mode = ?2 AND what = ?3 AND days = ?4 AND key = ?5",
    )?;
    for key in &verdicts.settled {
        remove.execute(params![tenant, mode, what, period.days, key])?;
    }
    if let Some(done_to) = done_to {
        let mut put = tx.db.prepare_cached(
            "INSERT OR REPLACE INTO retention (tenant, mode, what, days, done_to) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        put.execute(params![tenant, mode, what, period.days, done_to])?;
    }
    Ok(gone)
}

fn erase_content(tx: &WriteTx<'_>, stored: &StoredCascade, now: UnixMillis) -> rusqlite::Result<bool> {
    if stored.envelope.erased_at.is_some() {
        return Ok(false);
    }
    let rest = without_personal(&stored.envelope, now);
    let rest = rest.map_err(|cause| rusqlite::Error::ToSqlConversionFailure(Box::new(cause)))?;
    forget_addresses(tx, stored)?;
    let mut update = tx.db.prepare_cached("UPDATE message SET envelope = ?2 WHERE key = ?1")?;
    Ok(update.execute(params![stored.envelope.id.storage_key(), rest])? > 0)
}

fn delete(tx: &WriteTx<'_>, stored: &StoredCascade) -> rusqlite::Result<bool> {
    let key = stored.envelope.id.storage_key();
    forget_addresses(tx, stored)?;
    forget_terms(tx, key, &term::of_cascade(&stored.envelope, &stored.state))?;
    tx.db.prepare_cached("DELETE FROM state WHERE key = ?1")?.execute([key])?;
    Ok(tx.db.prepare_cached("DELETE FROM message WHERE key = ?1")?.execute([key])? > 0)
}

/// Nobody finds a message by its addresses any more.
fn forget_addresses(tx: &WriteTx<'_>, stored: &StoredCascade) -> rusqlite::Result<()> {
    let key = stored.envelope.id.storage_key();
    let mut find = tx.db.prepare_cached("SELECT envelope FROM message WHERE key = ?1")?;
    let envelope = find.query_row([key], |row| row.get::<_, Vec<u8>>(0)).optional()?.unwrap_or_default();
    let mut terms = term::plain_to_all(&stored.envelope);
    for id in StoredEnvelope::keys_of(&envelope) {
        if let Some(Known::Key(data_key)) = tx.keys.read(id)? {
            terms.push(data_key.term());
        }
    }
    forget_terms(tx, key, &terms)
}

fn forget_terms(tx: &WriteTx<'_>, key: i64, terms: &[i64]) -> rusqlite::Result<()> {
    let mut delete = tx.db.prepare_cached("DELETE FROM term WHERE term = ?1 AND key = ?2")?;
    for term in terms {
        delete.execute([*term, key])?;
    }
    Ok(())
}

const fn kept_number(what: Kept) -> i64 {
    match what {
        Kept::Content => 0,
        Kept::Message => 1,
    }
}
