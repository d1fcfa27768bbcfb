//! Addresses that a tenant must not write to.

use std::sync::Arc;

use async_trait::async_trait;
use hermes_domain::{
    SuppressionId, TenantId,
    address::Channel,
    message::Mode,
    recipient_address::RecipientAddress,
    suppression::{
        Coverage, ERASED_PREFIX, OptOutScope, SenderKey, Suppression, SuppressionReason, SuppressionSource,
    },
    tenant::TenantScope,
};
use hermes_ports::{
    StoreError, Suppressions,
    suppressions::{Added, StoredSuppression, SuppressedAddress, SuppressionChange, SuppressionQuery},
};
use rusqlite::{Connection, OptionalExtension as _, params};
use sqlx::{QueryBuilder, Row, Sqlite, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, instant, millis, mode_number, rows, unreadable},
    list_follow::Followers,
    vault::Vault,
    writer::WriteTx,
};

/// In the order that [`stored`] reads them.
const COLUMNS: &str =
    "id, mode, tenant, covers, value, channel, sender, reason, source, note, created_at, expires_at, version";

#[async_trait]
impl Suppressions for EmbeddedBackend {
    async fn add(&self, rules: Vec<Suppression>) -> Result<Vec<Added>, StoreError> {
        let filter = Arc::clone(self.suppression_filter());
        let insert = move |tx: &mut WriteTx<'_>| {
            let mut added = Vec::with_capacity(rules.len());
            let mut lists: Option<Followers> = None;
            for rule in &rules {
                filter.note(rule.tenant, rule.mode, &rule.covers);
                let done = insert(tx.db, rule)?;
                if done == Added::New {
                    let known = lists.take().filter(|lists| lists.are_of(rule.tenant, rule.mode));
                    let found = known.map_or_else(|| Followers::of(tx.db, rule.tenant, rule.mode), Ok)?;
                    lists.insert(found).follow(tx.db, rule.covers.value(), false, rule.created_at)?;
                }
                added.push(done);
            }
            Ok(Ok(added))
        };
        self.writer().write("suppressing addresses", insert).await
    }

    async fn get(
        &self,
        tenant: TenantId,
        mode: Mode,
        id: SuppressionId,
    ) -> Result<Option<StoredSuppression>, StoreError> {
        let mut query = of_tenant(tenant, mode);
        query.push(" AND id = ").push_bind(id_bytes!(id).to_vec());
        let row = query.build().fetch_optional(self.reads()).await;
        row.map_err(unreadable("reading a suppression"))?.as_ref().map(stored).transpose()
    }

    async fn list(&self, query: SuppressionQuery) -> Result<Vec<StoredSuppression>, StoreError> {
        let mut select = of_tenant(query.tenant, query.mode);
        if let Some(address) = query.address {
            select.push(" AND value = ").push_bind(address);
        }
        if let Some(channel) = query.channel {
            select.push(" AND channel = ").push_bind(channel.as_str());
        }
        if let Some(reason) = query.reason {
            select.push(" AND reason = ").push_bind(reason.as_str());
        }
        if let Some(sender) = query.sender {
            select.push(" AND sender = ").push_bind(sender.as_str().to_owned());
        }
        if let Some(bound) = query.created_after {
            select.push(" AND created_at >= ").push_bind(millis(bound));
        }
        if let Some(before) = query.before {
            select.push(" AND id < ").push_bind(id_bytes!(before).to_vec());
        }
        select.push(" ORDER BY id DESC LIMIT ").push_bind(rows(query.limit));
        let found =
            select.build().fetch_all(self.reads()).await.map_err(unreadable("listing suppressions"))?;
        found.iter().map(stored).collect()
    }

    async fn update(
        &self,
        TenantScope { tenant, mode }: TenantScope,
        id: SuppressionId,
        expected: Option<u64>,
        change: SuppressionChange,
    ) -> Result<Option<StoredSuppression>, StoreError> {
        let now = self.clock().now();
        let update = move |tx: &mut WriteTx<'_>| {
            if let Err(other) = at_version(tx, TenantScope { tenant, mode }, id, expected)? {
                return Ok(other);
            }
            let mut update = tx.db.prepare_cached(
                "UPDATE suppression_rule SET version = version + 1, note = iif(?4, ?5, note),
                    expires_at = iif(?6, ?7, expires_at)
                 WHERE tenant = ?1 AND mode = ?2 AND id = ?3 RETURNING value",
            )?;
            let expires_at = change.expires_at.flatten().map(millis);
            let row = params![
                id_bytes!(tenant),
                mode_number(mode),
                id_bytes!(id),
                change.note.is_some(),
                change.note.as_ref().and_then(Option::as_ref),
                change.expires_at.is_some(),
                expires_at
            ];
            let value: String = update.query_row(row, |row| row.get(0))?;
            if change.expires_at.is_some() {
                Followers::of(tx.db, tenant, mode)?.follow(tx.db, &value, false, now)?;
            }
            Ok(Ok(true))
        };
        if self.writer().write("changing a suppression", update).await? {
            return self.get(tenant, mode, id).await;
        }
        Ok(None)
    }

    async fn delete(
        &self,
        TenantScope { tenant, mode }: TenantScope,
        id: SuppressionId,
        expected: Option<u64>,
    ) -> Result<bool, StoreError> {
        let now = self.clock().now();
        let delete = move |tx: &mut WriteTx<'_>| {
            if let Err(other) = at_version(tx, TenantScope { tenant, mode }, id, expected)? {
                return Ok(other);
            }
            let mut delete = tx.db.prepare_cached(
                "DELETE FROM suppression_rule WHERE tenant = ?1 AND mode = ?2 AND id = ?3
                 RETURNING value, source, sender",
            )?;
            let key = params![id_bytes!(tenant), mode_number(mode), id_bytes!(id)];
            let (value, theirs): (String, bool) = delete.query_row(key, |row| {
                Ok((row.get(0)?, came_from_a_list(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?)))
            })?;
            Followers::of(tx.db, tenant, mode)?.follow(tx.db, &value, theirs, now)?;
            Ok(Ok(true))
        };
        self.writer().write("lifting a suppression", delete).await
    }

    async fn lift(&self, of: SuppressedAddress, sender: Option<SenderKey>) -> Result<(), StoreError> {
        let words = SuppressionSource::ALL.into_iter().filter(|source| source.is_the_recipients_word());
        let sources = serde_json::Value::from_iter(words.map(SuppressionSource::as_str)).to_string();
        let now = self.clock().now();
        let delete = move |tx: &mut WriteTx<'_>| {
            let mut delete = tx.db.prepare_cached(
                "DELETE FROM suppression_rule
                 WHERE tenant = ?1 AND mode = ?2 AND value IN (?3, ?8) AND covers = 'address' AND channel = ?4
                   AND sender IN ('', ?5) AND reason = ?6 AND source IN (SELECT value FROM json_each(?7))
                 RETURNING source, sender",
            )?;
            let covers = Coverage::exactly(of.channel, &of.address);
            let sender = sender.as_ref().map_or("", SenderKey::as_str);
            let reason = SuppressionReason::OptOut.as_str();
            let (tenant, mode) = (id_bytes!(of.tenant), mode_number(of.mode));
            let of_person = params![
                tenant,
                mode,
                covers.value(),
                of.channel.as_str(),
                sender,
                reason,
                sources,
                erased_value(&tx.keys.vault(), scope_of(&of), &address_of(&of))
            ];
            let mut lifted = delete.query(of_person)?;
            let mut theirs_went = false;
            while let Some(row) = lifted.next()? {
                theirs_went |= came_from_a_list(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_str()?);
            }
            Followers::of(tx.db, of.tenant, of.mode)?.follow(tx.db, covers.value(), theirs_went, now)?;
            Ok(Ok(()))
        };
        self.writer().write("lifting opt-outs", delete).await
    }

    fn may_cover(&self, of: &SuppressedAddress) -> bool {
        let filter = self.suppression_filter();
        filter.may_cover(of)
            || (filter.has_erased() && {
                let value = erased_value(self.vault(), scope_of(of), &address_of(of));
                filter.may_hold(of.tenant, of.mode, &value)
            })
    }

    async fn covering(&self, of: &SuppressedAddress) -> Result<Vec<Suppression>, StoreError> {
        let erased = erased_value(self.vault(), scope_of(of), &address_of(of));
        let mut values = Coverage::values_covering(of.channel, &of.address);
        values.push(erased.clone());
        let values = serde_json::Value::from(values).to_string();
        let mut query = of_tenant(of.tenant, of.mode);
        query.push(" AND channel IN ('', ").push_bind(of.channel.as_str()).push(")");
        query.push(" AND value IN (SELECT value FROM json_each(").push_bind(values).push("))");
        let found = query.build().fetch_all(self.reads()).await;
        let found = found.map_err(unreadable("looking for suppressions"))?;
        let mut rules = Vec::with_capacity(found.len());
        for row in &found {
            let mut rule = stored(row)?.rule;
            if rule.covers.value() == erased {
                rule.covers = Coverage::exactly(of.channel, &of.address);
            }
            if rule.covers.covers(of.channel, &of.address) {
                rules.push(rule);
            }
        }
        Ok(rules)
    }

    async fn opt_out_scope(&self, tenant: TenantId, mode: Mode) -> Result<OptOutScope, StoreError> {
        let query = sqlx::query("SELECT scope FROM opt_out_scope WHERE tenant = ? AND mode = ?");
        let query = query.bind(id_bytes!(tenant).to_vec()).bind(mode_number(mode));
        let row = query.fetch_optional(self.reads()).await.map_err(unreadable("reading an opt-out scope"))?;
        let Some(row) = row else { return Ok(OptOutScope::default()) };
        let stored = OptOutScope::ALL.into_iter().find(|scope| scope.as_str() == row.get::<&str, _>(0));
        stored.ok_or_else(unknown)
    }

    async fn set_opt_out_scope(
        &self,
        tenant: TenantId,
        mode: Mode,
        scope: OptOutScope,
    ) -> Result<(), StoreError> {
        let write = move |tx: &mut WriteTx<'_>| {
            let mut write = tx.db.prepare_cached(
                "INSERT INTO opt_out_scope (tenant, mode, scope) VALUES (?1, ?2, ?3)
                 ON CONFLICT (tenant, mode) DO UPDATE SET scope = ?3",
            )?;
            write.execute(params![id_bytes!(tenant), mode_number(mode), scope.as_str()])?;
            Ok(Ok(()))
        };
        self.writer().write("setting an opt-out scope", write).await
    }
}

/// Whether a rule says that a provider has the address on the list of an account, rather than of one number of ours.
fn came_from_a_list(source: &str, sender: &str) -> bool {
    source == SuppressionSource::Provider.as_str() && sender.is_empty()
}

fn of_tenant(tenant: TenantId, mode: Mode) -> QueryBuilder<Sqlite> {
    let mut query = QueryBuilder::new(format!("SELECT {COLUMNS} FROM suppression_rule WHERE tenant = "));
    query.push_bind(id_bytes!(tenant).to_vec()).push(" AND mode = ").push_bind(mode_number(mode));
    query
}

/// Adds a rule, unless one says the same.
pub(crate) fn insert(db: &Connection, rule: &Suppression) -> rusqlite::Result<Added> {
    let (tenant, mode) = (id_bytes!(rule.tenant), mode_number(rule.mode));
    let (channel, sender) =
        (rule.channel.map_or("", Channel::as_str), rule.sender.as_ref().map_or("", SenderKey::as_str));
    let (reason, source, now) = (rule.reason.as_str(), rule.source.as_str(), millis(rule.created_at));
    let (covers, value) = (rule.covers.kind(), rule.covers.value());
    let meaning = params![tenant, mode, value, covers, channel, sender, reason, source];
    let mut find = db.prepare_cached(
        "SELECT id, expires_at FROM suppression_rule WHERE tenant = ?1 AND mode = ?2 AND value = ?3
         AND covers = ?4 AND channel = ?5 AND sender = ?6 AND reason = ?7 AND (source = ?8 OR ?8 = 'import')
         ORDER BY expires_at IS NOT NULL, expires_at DESC LIMIT 1",
    )?;
    let found: Option<(Vec<u8>, Option<i64>)> =
        find.query_row(meaning, |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
    if let Some((id, expires_at)) = found {
        if expires_at.is_none_or(|end| end > now) {
            return Ok(Added::Stands(SuppressionId::from_u128(id_bits(&id).unwrap_or_default())));
        }
        let mut remove =
            db.prepare_cached("DELETE FROM suppression_rule WHERE tenant = ?1 AND mode = ?2 AND id = ?3")?;
        remove.execute(params![tenant, mode, id])?;
    }
    let mut insert = db.prepare_cached(
        "INSERT INTO suppression_rule (tenant, mode, value, covers, channel, sender, reason, source, id, note,
                                       created_at, expires_at, version)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 1)",
    )?;
    let (id, expires_at) = (id_bytes!(rule.id), rule.expires_at.map(millis));
    insert.execute(params![
        tenant, mode, value, covers, channel, sender, reason, source, id, rule.note, now, expires_at
    ])?;
    Ok(Added::New)
}

/// `Err`: the rule is not to be touched, and what to answer instead.
fn at_version(
    tx: &WriteTx<'_>,
    TenantScope { tenant, mode }: TenantScope,
    id: SuppressionId,
    expected: Option<u64>,
) -> rusqlite::Result<Result<(), Result<bool, StoreError>>> {
    let mut find = tx
        .db
        .prepare_cached("SELECT version FROM suppression_rule WHERE tenant = ?1 AND mode = ?2 AND id = ?3")?;
    let key = params![id_bytes!(tenant), mode_number(mode), id_bytes!(id)];
    let found: Option<i64> = find.query_row(key, |row| row.get(0)).optional()?;
    Ok(match found.and_then(|version| u64::try_from(version).ok()) {
        None => Err(Ok(false)),
        Some(version) if expected.is_some_and(|expected| expected != version) => {
            Err(Err(StoreError::Conflict))
        }
        Some(_) => Ok(()),
    })
}

fn stored(row: &SqliteRow) -> Result<StoredSuppression, StoreError> {
    let mode = if row.get::<i64, _>(1) == mode_number(Mode::Test) { Mode::Test } else { Mode::Live };
    let (channel, sender): (&str, String) = (row.get(5), row.get(6));
    let (reason, source): (&str, &str) = (row.get(7), row.get(8));
    let rule = Suppression {
        id: SuppressionId::from_u128(id_bits(row.get(0))?),
        mode,
        tenant: TenantId::from_u128(id_bits(row.get(2))?),
        covers: Coverage::from_parts(row.get(3), row.get(4)).ok_or_else(unknown)?,
        channel: match channel {
            "" => None,
            name => Some(Channel::ALL.into_iter().find(|one| one.as_str() == name).ok_or_else(unknown)?),
        },
        sender: (!sender.is_empty()).then(|| SenderKey::from_stored(sender)),
        reason: SuppressionReason::ALL.into_iter().find(|one| one.as_str() == reason).ok_or_else(unknown)?,
        source: SuppressionSource::ALL.into_iter().find(|one| one.as_str() == source).ok_or_else(unknown)?,
        note: row.get(9),
        created_at: instant(row.get(10)),
        expires_at: row.get::<Option<i64>, _>(11).map(instant),
    };
    Ok(StoredSuppression { rule, version: u64::try_from(row.get::<i64, _>(12)).unwrap_or_default() })
}

/// What a rule about an address says once that address was erased.
pub(crate) fn erased_value(vault: &Vault, scope: TenantScope, address: &RecipientAddress) -> String {
    let hash = vault.key().suppressed(scope, address.kind(), address.normal());
    format!("{ERASED_PREFIX}{:032x}", u128::from_be_bytes(hash))
}

const fn scope_of(of: &SuppressedAddress) -> TenantScope {
    TenantScope::new(of.tenant, of.mode)
}

fn address_of(of: &SuppressedAddress) -> RecipientAddress {
    RecipientAddress::on(of.channel, &of.address)
}

fn unknown() -> StoreError {
    damaged("a suppression of a later build")
}
