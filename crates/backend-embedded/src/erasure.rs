//! Erasing a recipient: two transactions, and a start in between finishes it.
//!
//! The first takes the recipient's key away, takes the address out of suppressions and stored replies, and puts on record
//! that the key is to be destroyed. The second destroys it in `keys.db`. Then the log is emptied.

use std::sync::Arc;

use async_trait::async_trait;
use hermes_domain::{
    MessageId, UnixMillis,
    recipient_address::{AddressKind, RecipientAddress},
    suppression::Coverage,
    tenant::TenantScope,
};
use hermes_ports::{Erasure, StoreError, erasure::Erased, kill_point};
use hermes_sealing::KeyId;
use rusqlite::{OptionalExtension as _, params};
use sqlx::Row as _;

use crate::{
    backend::EmbeddedBackend,
    columns::{id_bits, id_bytes, mode_number, unreadable},
    list_follow,
    schema::set_secure_delete,
    suppressions::erased_value,
    term,
    writer::{Change, WriteTx},
};

/// Messages looked at at once.
const PAGE: usize = 1_000;

#[async_trait]
impl Erasure for EmbeddedBackend {
    async fn open_messages(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<MessageId>, StoreError> {
        let terms = self.terms_of(scope, address).await?;
        let (mut end, mut open) = (before.map_or(i64::MAX, MessageId::storage_key), Vec::new());
        loop {
            let keys = self.newest(&terms, 0..end, PAGE).await?;
            let query = sqlx::query(
                "SELECT s.id FROM json_each(?) wanted JOIN state s ON s.key = wanted.value
                 WHERE s.live = 1 ORDER BY s.key DESC",
            );
            let found = query.bind(serde_json::Value::from(keys.as_slice()).to_string());
            let found = found.fetch_all(self.reads()).await.map_err(unreadable("listing open messages"))?;
            for row in &found {
                open.push(MessageId::from_u128(id_bits(row.get(0))?));
            }
            if open.len() >= limit || keys.len() < PAGE {
                open.truncate(limit);
                return Ok(open);
            }
            end = keys.last().copied().unwrap_or_default();
        }
    }

    async fn erase(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        at: UnixMillis,
    ) -> Result<Erased, StoreError> {
        self.seal_plain_envelopes(usize::MAX).await?;
        let replies = self.replies_naming(scope, address).await?;
        let (tail, filter) = (Arc::clone(self.tail()), Arc::clone(self.suppression_filter()));
        let address = address.clone();
        let work = move |tx: &mut WriteTx<'_>| {
            set_secure_delete(tx.db, true)?;
            let value = erased_value(&tx.keys.vault(), scope, &address);
            filter.note(scope.tenant, scope.mode, &Coverage::Address(value.clone()));
            let suppressions = forget_in_suppressions(tx, scope, &address, &value)?;
            list_follow::forget(tx.db, scope.tenant, scope.mode, address.normal())?;
            forget_replies(tx, scope, &replies)?;
            let (erased, key) = take_key(tx, &tail, scope, &address, at)?;
            tx.keys.empty_log_afterwards();
            set_secure_delete(tx.db, false)?;
            Ok(Ok((Erased { suppressions, ..erased }, key)))
        };
        let (erased, key) = self.writer().write("erasing a recipient", work).await?;
        if let Some(id) = key {
            kill_point::pass("erase.recorded");
            let destroy =
                move |tx: &mut WriteTx<'_>| -> Change<()> { tx.keys.destroy_all(tx.db, &[id], at).map(Ok) };
            self.writer().write("destroying a data key", destroy).await?;
            kill_point::pass("erase.destroyed");
        }
        // The log is emptied between two transactions: once this one is done, it has been.
        self.writer().write("emptying the log", |_| Ok(Ok(()))).await?;
        Ok(erased)
    }
}

impl EmbeddedBackend {
    /// Idempotency keys whose stored reply names an address. Looked for apart from the writer: it reads all replies of the
    /// last day.
    async fn replies_naming(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
    ) -> Result<Vec<String>, StoreError> {
        let text = match address.kind() {
            AddressKind::Email => "lower(body)",
            AddressKind::Phone | AddressKind::Push => "body",
        };
        let sql = format!("SELECT key FROM claim WHERE tenant = ? AND mode = ? AND instr({text}, ?) > 0");
        let query = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(id_bytes!(scope.tenant).to_vec());
        let query = query.bind(mode_number(scope.mode)).bind(address.normal().to_owned());
        let found =
            query.fetch_all(self.reads()).await.map_err(unreadable("looking through stored replies"))?;
        Ok(found.iter().map(|row| row.get(0)).collect())
    }
}

/// Takes the key of a recipient away and says what was encrypted under it.
fn take_key(
    tx: &mut WriteTx<'_>,
    tail: &crate::term_tail::TermTail,
    scope: TenantScope,
    address: &RecipientAddress,
    at: UnixMillis,
) -> rusqlite::Result<(Erased, Option<KeyId>)> {
    let recipient = term::recipient(tx.keys.vault().key(), scope, address);
    let Some((id, key)) = tx.keys.find(tx.db, recipient)? else { return Ok((Erased::default(), None)) };
    let wanted = key.term();
    let mut keys = tail.newest(wanted, 0..i64::MAX, usize::MAX);
    keys.extend(tx.terms.added(wanted));
    let mut merged = tx.db.prepare_cached("SELECT key FROM term WHERE term = ?1")?;
    keys.extend(merged.query_map([wanted], |row| row.get::<_, i64>(0))?.collect::<Result<Vec<_>, _>>()?);
    keys.sort_unstable_by(|one, other| other.cmp(one));
    keys.dedup();
    let mut open = Vec::new();
    let mut find = tx.db.prepare_cached("SELECT id, live FROM state WHERE key = ?1")?;
    for key in &keys {
        let found = find.query_row([key], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, bool>(1)?)));
        let Some((id, is_live)) = found.optional()? else { continue };
        let Ok(id) = id_bits(&id).map(MessageId::from_u128) else { continue };
        open.extend(is_live.then_some(id));
    }
    tx.keys.give_up(tx.db, recipient, id, at)?;
    let messages = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    Ok((Erased { messages, open, suppressions: 0 }, Some(id)))
}

/// A rule about exactly this address keeps a keyed hash of it instead. Where one that says the same is there already,
/// from an earlier erasure, it takes its place.
fn forget_in_suppressions(
    tx: &WriteTx<'_>,
    scope: TenantScope,
    address: &RecipientAddress,
    value: &str,
) -> rusqlite::Result<u64> {
    let mut update = tx.db.prepare_cached(
        "UPDATE OR REPLACE suppression_rule SET value = ?4, note = NULL, version = version + 1
         WHERE tenant = ?1 AND mode = ?2 AND value = ?3 AND covers = 'address' AND (channel = 'push') = ?5",
    )?;
    let is_token = address.kind() == AddressKind::Push;
    let (tenant, mode) = (id_bytes!(scope.tenant), mode_number(scope.mode));
    Ok(update.execute(params![tenant, mode, address.normal(), value, is_token])? as u64)
}

fn forget_replies(tx: &WriteTx<'_>, scope: TenantScope, keys: &[String]) -> rusqlite::Result<()> {
    let mut delete = tx.db.prepare_cached(
        "DELETE FROM claim WHERE tenant = ?1 AND mode = ?2 AND key = ?3 AND body IS NOT NULL",
    )?;
    for key in keys {
        delete.execute(params![id_bytes!(scope.tenant), mode_number(scope.mode), key])?;
    }
    Ok(())
}
