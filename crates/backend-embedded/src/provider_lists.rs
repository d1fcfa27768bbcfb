//! Lists of providers that follow a tenant's rules.

use std::sync::Arc;

use async_trait::async_trait;
use hermes_domain::{
    ConnectionId, UnixMillis,
    recipient_address::RecipientAddress,
    suppression::{Listed, Suppression, SuppressionReason, fits},
};
use hermes_ports::{
    ProviderLists, StoreError,
    provider_lists::{ChangeEnd, FollowedList, ListChange, Reading},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use sqlx::{Row as _, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bytes, instant, millis, mode_number, rows, unreadable},
    list_follow,
    suppressions::{erased_value, insert},
    writer::WriteTx,
};

#[async_trait]
impl ProviderLists for EmbeddedBackend {
    async fn follow(&self, lists: Vec<FollowedList>) -> Result<(), StoreError> {
        let write = move |tx: &mut WriteTx<'_>| {
            let known = serde_json::Value::from_iter(lists.iter().map(|list| hex(list.connection)));
            for table in ["provider_list_entry", "provider_list"] {
                let sql = format!(
                    "DELETE FROM {table} WHERE hex(connection) NOT IN (SELECT value FROM json_each(?1))"
                );
                tx.db.prepare_cached(&sql)?.execute([known.to_string()])?;
            }
            for list in &lists {
                let mut insert = tx.db.prepare_cached(
                    "INSERT INTO provider_list (connection, tenant, mode, channel, cursor, read_at)
                     VALUES (?1, ?2, ?3, ?4, NULL, 0) ON CONFLICT (connection) DO NOTHING",
                )?;
                insert.execute(params![
                    id_bytes!(list.connection),
                    id_bytes!(list.scope.tenant),
                    mode_number(list.scope.mode),
                    list.channel.as_str()
                ])?;
            }
            Ok(Ok(()))
        };
        self.writer().write("naming the lists that follow", write).await
    }

    async fn catch_up(
        &self,
        list: FollowedList,
        limit: usize,
        given_up: bool,
        now: UnixMillis,
    ) -> Result<usize, StoreError> {
        let missing = self.missing(list, limit).await?;
        let write = move |tx: &mut WriteTx<'_>| {
            let connection = id_bytes!(list.connection);
            if given_up {
                let mut retry = tx.db.prepare_cached(
                    "UPDATE provider_list_entry SET due_at = ?2, since = ?2, attempts = 0
                     WHERE connection = ?1 AND state <> 'ours' AND due_at IS NULL",
                )?;
                retry.execute(params![connection, millis(now)])?;
            }
            let room = list_follow::room(tx.db, &connection)?;
            let mut followers = list_follow::Followers::of(tx.db, list.scope.tenant, list.scope.mode)?;
            for address in missing.iter().take(room) {
                followers.follow(tx.db, address, false, now)?;
            }
            let mut count = tx.db.prepare_cached(
                "SELECT count(*) FROM provider_list_entry WHERE connection = ?1 AND due_at IS NOT NULL",
            )?;
            let owed: i64 = count.query_row([connection], |row| row.get(0))?;
            Ok(Ok(usize::try_from(owed).unwrap_or_default()))
        };
        self.writer().write("catching up with rules", write).await
    }

    async fn due(
        &self,
        connection: ConnectionId,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<ListChange>, StoreError> {
        let query = sqlx::query(
            "SELECT address, state, reason, attempts, since, version FROM provider_list_entry
             WHERE connection = ? AND due_at <= ? ORDER BY due_at LIMIT ?",
        );
        let query = query.bind(id_bytes!(connection).to_vec()).bind(millis(now)).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("reading changes of a list"))?;
        found.iter().map(|row| change(connection, row)).collect()
    }

    async fn end(&self, change: &ListChange, end: ChangeEnd) -> Result<(), StoreError> {
        let change = change.clone();
        let write = move |tx: &mut WriteTx<'_>| note(tx.db, &change, end).map(Ok);
        self.writer().write("noting a change of a list", write).await
    }

    async fn reading(&self, connection: ConnectionId) -> Result<Option<Reading>, StoreError> {
        let query = sqlx::query("SELECT cursor, read_at FROM provider_list WHERE connection = ?");
        let query = query.bind(id_bytes!(connection).to_vec());
        let row =
            query.fetch_optional(self.reads()).await.map_err(unreadable("reading how far a list is"))?;
        Ok(row.map(|row| Reading { cursor: row.get(0), read_at: instant(row.get(1)) }))
    }

    async fn learn(
        &self,
        list: FollowedList,
        rules: Vec<Suppression>,
        reading: Reading,
    ) -> Result<usize, StoreError> {
        let filter = Arc::clone(self.suppression_filter());
        let write = move |tx: &mut WriteTx<'_>| {
            let mut added = 0;
            for rule in &rules {
                if is_known(tx, list, rule)? {
                    continue;
                }
                filter.note(rule.tenant, rule.mode, &rule.covers);
                insert(tx.db, rule)?;
                forget_given_up(tx.db, list, rule.covers.value())?;
                added += 1;
            }
            let mut keep = tx
                .db
                .prepare_cached("UPDATE provider_list SET cursor = ?2, read_at = ?3 WHERE connection = ?1")?;
            keep.execute(params![id_bytes!(list.connection), reading.cursor, millis(reading.read_at)])?;
            Ok(Ok(added))
        };
        self.writer().write("learning from a list", write).await
    }
}

impl EmbeddedBackend {
    /// Addresses that a list should show and that Hermes has had nothing to do with there.
    async fn missing(&self, list: FollowedList, limit: usize) -> Result<Vec<String>, StoreError> {
        let query = sqlx::query(
            "SELECT DISTINCT value FROM suppression_rule AS rule
             WHERE tenant = ? AND mode = ? AND covers = 'address' AND channel IN ('', ?) AND sender = ''
               AND expires_at IS NULL AND source <> 'provider' AND (instr(value, '@') > 0) = ?
               AND (value LIKE '+%' OR instr(value, '@') > 0)
               AND NOT EXISTS (SELECT 1 FROM provider_list_entry AS entry
                               WHERE entry.connection = ? AND entry.address = rule.value)
             LIMIT ?",
        );
        let query = query.bind(id_bytes!(list.scope.tenant).to_vec()).bind(mode_number(list.scope.mode));
        let query = query.bind(list.channel.as_str()).bind(fits(list.channel, "a@example.com"));
        let query = query.bind(id_bytes!(list.connection).to_vec()).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await;
        let found = found.map_err(unreadable("looking for rules that a list lacks"))?;
        Ok(found.iter().map(|row| row.get(0)).collect())
    }
}

/// Whether an address that was read is no news.
fn is_known(tx: &mut WriteTx<'_>, list: FollowedList, rule: &Suppression) -> rusqlite::Result<bool> {
    let address = rule.covers.value();
    let mut entry = tx.db.prepare_cached(
        "SELECT 1 FROM provider_list_entry WHERE connection = ?1 AND address = ?2
         AND NOT (state = 'removing' AND due_at IS NULL)",
    )?;
    if entry.exists(params![id_bytes!(list.connection), address])? {
        return Ok(true);
    }
    let recipient = RecipientAddress::on(list.channel, address);
    let erased = erased_value(&tx.keys.vault(), list.scope, &recipient);
    let mut standing = tx.db.prepare_cached(
        "SELECT 1 FROM suppression_rule WHERE tenant = ?1 AND mode = ?2 AND value IN (?3, ?4) AND covers = 'address'
            AND channel IN ('', ?5) AND sender = '' AND expires_at IS NULL",
    )?;
    let scope = (id_bytes!(list.scope.tenant), mode_number(list.scope.mode));
    standing.exists(params![scope.0, scope.1, address, erased, list.channel.as_str()])
}

/// A removal that was given up is over once the address has become a rule again.
fn forget_given_up(db: &Connection, list: FollowedList, address: &str) -> rusqlite::Result<()> {
    let mut delete = db.prepare_cached(
        "DELETE FROM provider_list_entry WHERE connection = ?1 AND address = ?2 AND state = 'removing'",
    )?;
    delete.execute(params![id_bytes!(list.connection), address]).map(drop)
}

fn note(db: &Connection, change: &ListChange, end: ChangeEnd) -> rusqlite::Result<()> {
    let version = i64::try_from(change.version).unwrap_or(i64::MAX);
    let key = params![id_bytes!(change.connection), change.address, version];
    match end {
        ChangeEnd::Made if change.add.is_some() => {
            let sql = "UPDATE provider_list_entry SET state = 'ours', due_at = NULL
                       WHERE connection = ?1 AND address = ?2 AND version = ?3";
            db.prepare_cached(sql)?.execute(key)
        }
        ChangeEnd::Made => {
            let sql =
                "DELETE FROM provider_list_entry WHERE connection = ?1 AND address = ?2 AND version = ?3";
            db.prepare_cached(sql)?.execute(key)
        }
        ChangeEnd::Again(_) | ChangeEnd::GivenUp => {
            let due_at = if let ChangeEnd::Again(at) = end { Some(millis(at)) } else { None };
            let sql = "UPDATE provider_list_entry SET due_at = ?4, attempts = attempts + 1
                       WHERE connection = ?1 AND address = ?2 AND version = ?3";
            let key = params![id_bytes!(change.connection), change.address, version, due_at];
            db.prepare_cached(sql)?.execute(key)
        }
    }
    .optional()
    .map(drop)
}

fn change(connection: ConnectionId, row: &SqliteRow) -> Result<ListChange, StoreError> {
    let (state, reason): (&str, &str) = (row.get(1), row.get(2));
    let reason = SuppressionReason::ALL.into_iter().find(|one| one.as_str() == reason);
    let unknown = || damaged("a change of a list of a later build");
    Ok(ListChange {
        connection,
        address: row.get(0),
        add: if state == Listed::Adding.as_str() { Some(reason.ok_or_else(unknown)?) } else { None },
        attempts: u32::try_from(row.get::<i64, _>(3)).unwrap_or(u32::MAX),
        since: instant(row.get(4)),
        version: u64::try_from(row.get::<i64, _>(5)).unwrap_or_default(),
    })
}

fn hex(connection: ConnectionId) -> String {
    format!("{:032X}", connection.as_u128())
}
