//! Destroys the keys of recipients about whom nothing is kept any more.
//!
//! A walk over all recipients in the order of their hashes, which is no order at all, a share at a time. It begins
//! anywhere, so that a process that is often restarted does not only ever look at the first ones. What it finds without a
//! use is looked at once more by the writer, in the transaction that takes the key away.

use std::{collections::HashSet, sync::Arc};

use hermes_domain::UnixMillis;
use hermes_ports::StoreError;
use hermes_sealing::{KeyId, RecipientHash, SealError};
use metrics::counter;
use parking_lot::Mutex;
use rusqlite::{OptionalExtension as _, params};
use sqlx::Row as _;

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, rows, unreadable},
    schema::set_secure_delete,
    term_tail::TermTail,
    vault::Known,
    writer::WriteTx,
};

/// Data keys that were destroyed because nothing needed them.
const KEYS: &str = "hermes_retention_keys_total";
/// Recipients looked at at once.
const PAGE: usize = 200;

/// How far the walk is: recipients up to this hash have been looked at.
#[derive(Debug)]
pub(crate) struct SweepCursor(Mutex<RecipientHash>);

/// A recipient whose key may not be needed.
#[derive(Clone, Copy, Debug)]
struct Idle {
    recipient: RecipientHash,
    key: KeyId,
    term: i64,
}

impl SweepCursor {
    /// Anywhere.
    ///
    /// # Errors
    /// `NoRandomness`.
    pub(crate) fn anywhere() -> Result<Self, SealError> {
        RecipientHash::random().map(|start| Self(Mutex::new(start)))
    }
}

impl EmbeddedBackend {
    /// Goes on with the walk by one page; after the last one it begins anew.
    pub(crate) async fn sweep_keys(&self) -> Result<u64, StoreError> {
        let after = *self.sweep_cursor().0.lock();
        let page = self.recipients_after(after).await?;
        let dropped = self.drop_idle(&page).await?;
        let last = page.last().filter(|_| page.len() == PAGE);
        *self.sweep_cursor().0.lock() = last.map_or(RecipientHash([0; 16]), |(recipient, _)| *recipient);
        counter!(KEYS).increment(dropped);
        Ok(dropped)
    }

    async fn recipients_after(
        &self,
        after: RecipientHash,
    ) -> Result<Vec<(RecipientHash, KeyId)>, StoreError> {
        let query = sqlx::query(
            "SELECT recipient, data_key FROM recipient WHERE recipient > ? ORDER BY recipient LIMIT ?",
        );
        let found = query.bind(after.0.to_vec()).bind(rows(PAGE)).fetch_all(self.reads()).await;
        let found = found.map_err(unreadable("listing recipients"))?;
        let read = |row: &sqlx::sqlite::SqliteRow| {
            let hash = row.get::<&[u8], _>(0).try_into().map_err(|_| damaged("the hash of a recipient"))?;
            Ok((RecipientHash(hash), KeyId(row.get(1))))
        };
        found.iter().map(read).collect()
    }

    async fn drop_idle(&self, page: &[(RecipientHash, KeyId)]) -> Result<u64, StoreError> {
        let idle = self.idle(page).await?;
        if idle.is_empty() {
            return Ok(0);
        }
        let (tail, now) = (Arc::clone(self.tail()), self.clock().now());
        let work = move |tx: &mut WriteTx<'_>| give_up_idle(tx, &tail, &idle, now).map(Ok);
        let keys = self.writer().write("giving up data keys", work).await?;
        let dropped = keys.len() as u64;
        let destroy = move |tx: &mut WriteTx<'_>| tx.keys.destroy_all(tx.db, &keys, now).map(Ok);
        self.writer().write("destroying data keys", destroy).await?;
        Ok(dropped)
    }

    /// Those of a page that seem to be without use.
    async fn idle(&self, page: &[(RecipientHash, KeyId)]) -> Result<Vec<Idle>, StoreError> {
        let keys = self.read_keys(page.iter().map(|(_, key)| *key)).await?;
        let all = page.iter().filter_map(|(recipient, key)| match keys.get(key) {
            Some(Known::Key(data)) => Some(Idle { recipient: *recipient, key: *key, term: data.term() }),
            Some(Known::Erased(_)) | None => None,
        });
        let all: Vec<Idle> = all.collect();
        let terms: Vec<i64> = all.iter().map(|one| one.term).collect();
        let query = sqlx::query(
            "SELECT value FROM json_each(?) wanted
             WHERE NOT EXISTS (SELECT 1 FROM term WHERE term.term = wanted.value)
               AND NOT EXISTS (SELECT 1 FROM inbound WHERE inbound.term = wanted.value)",
        );
        let found = query.bind(serde_json::Value::from(terms).to_string()).fetch_all(self.reads()).await;
        let found = found.map_err(unreadable("looking for uses of data keys"))?;
        let idle: HashSet<i64> = found.iter().map(|row| row.get(0)).collect();
        Ok(all.into_iter().filter(|one| idle.contains(&one.term)).collect())
    }
}

/// Takes the keys away of those recipients about whom nothing is kept, and says which.
fn give_up_idle(
    tx: &mut WriteTx<'_>,
    tail: &TermTail,
    idle: &[Idle],
    now: UnixMillis,
) -> rusqlite::Result<Vec<KeyId>> {
    set_secure_delete(tx.db, true)?;
    let mut given_up = Vec::new();
    for one in idle {
        let is_known = tx.keys.find(tx.db, one.recipient)?.is_some_and(|(key, _)| key == one.key);
        if is_known && !is_needed(tx, tail, one.term)? {
            tx.keys.give_up(tx.db, one.recipient, one.key, now)?;
            given_up.push(one.key);
        }
    }
    set_secure_delete(tx.db, false)?;
    Ok(given_up)
}

/// Whether something is found by the term of a key.
fn is_needed(tx: &WriteTx<'_>, tail: &TermTail, term: i64) -> rusqlite::Result<bool> {
    if !tail.newest(term, 0..i64::MAX, 1).is_empty() || tx.terms.added(term).next().is_some() {
        return Ok(true);
    }
    let mut find = tx.db.prepare_cached(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM term WHERE term = ?1)
                     OR EXISTS (SELECT 1 FROM inbound WHERE term = ?1)",
    )?;
    Ok(find.query_row(params![term], |_| Ok(())).optional()?.is_some())
}
