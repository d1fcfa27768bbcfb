//! Lists of messages.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use async_trait::async_trait;
use hermes_domain::{
    AttemptRef, ConnectionId, MessageId, UnixMillis, recipient_address::RecipientAddress, tenant::TenantScope,
};
use hermes_ports::{MessageLog, StoreError, cascade_store::StoredCascade, message_log::MessageQuery};
use hermes_sealing::{KeyId, sealed_envelope::StoredEnvelope};
use sqlx::Row;

use crate::{
    backend::EmbeddedBackend,
    columns::{rows, unreadable},
    term,
    vault::{Known, read_envelope},
};

/// Fewest messages read at once while filtering.
const PAGE_MIN: usize = 64;
/// Most messages read at once while filtering.
const PAGE_MAX: usize = 1_024;
/// `created_at` may differ from the time in the id by this much, in milliseconds.
const MINTED_WITHIN_MS: u64 = 60_000;

#[async_trait]
impl MessageLog for EmbeddedBackend {
    async fn list(&self, query: MessageQuery) -> Result<Vec<StoredCascade>, StoreError> {
        let (terms, mut keys) = (self.narrowest_terms(&query).await?, key_range(&query));
        let (wanted, mut found) = (query.limit.saturating_add(1), Vec::new());
        let mut page = wanted.clamp(PAGE_MIN, PAGE_MAX);
        loop {
            let candidates = self.newest(&terms, keys.clone(), page).await?;
            let Some(&oldest) = candidates.last() else { return Ok(found) };
            let messages = self.messages(&candidates).await?;
            found.extend(
                messages.into_iter().filter(|stored| query.matches(&stored.envelope, stored.state.status())),
            );
            if found.len() >= wanted || candidates.len() < page {
                found.truncate(wanted);
                return Ok(found);
            }
            keys.end = oldest;
            page = PAGE_MAX;
        }
    }

    async fn find_by_provider_id(
        &self,
        connection: ConnectionId,
        provider_message_id: &str,
    ) -> Result<Option<AttemptRef>, StoreError> {
        let term = term::provider_id(connection, provider_message_id);
        let candidates = self.newest(&[term], 0..i64::MAX, PAGE_MIN).await?;
        for stored in self.messages(&candidates).await? {
            let known = stored.state.attempt_known_as(&stored.envelope, connection, provider_message_id);
            if let Some(attempt) = known {
                return Ok(Some(AttemptRef { message: stored.envelope.id, attempt }));
            }
        }
        Ok(None)
    }
}

impl EmbeddedBackend {
    /// Keys with any of `terms`, newest first, from the table and from what is not merged into it yet.
    pub(crate) async fn newest(
        &self,
        terms: &[i64],
        keys: Range<i64>,
        limit: usize,
    ) -> Result<Vec<i64>, StoreError> {
        let mut found = Vec::new();
        for &term in terms {
            // Memory first: an entry that moves to the table in between is then seen twice, never missed.
            found.extend(self.tail().newest(term, keys.clone(), limit));
            let query = sqlx::query(
                "SELECT key FROM term WHERE term = ? AND key >= ? AND key < ? ORDER BY key DESC LIMIT ?",
            );
            let query = query.bind(term).bind(keys.start).bind(keys.end).bind(rows(limit));
            let merged = query.fetch_all(self.reads()).await.map_err(unreadable("looking up a term"))?;
            found.extend(merged.iter().map(|row| row.get::<i64, _>(0)));
        }
        found.sort_unstable_by(|one, other| other.cmp(one));
        found.dedup();
        found.truncate(limit);
        Ok(found)
    }

    /// The messages with these keys, newest first.
    pub(crate) async fn messages(&self, keys: &[i64]) -> Result<Vec<StoredCascade>, StoreError> {
        let query = sqlx::query(
            "SELECT s.id, s.revision, s.state, m.envelope
             FROM json_each(?) wanted JOIN state s ON s.key = wanted.value JOIN message m ON m.key = s.key
             ORDER BY s.key DESC",
        );
        let keys = serde_json::Value::from(keys).to_string();
        let found = query.bind(keys).fetch_all(self.reads()).await.map_err(unreadable("listing messages"))?;
        self.opened(&found).await
    }

    /// What tenants have noted at these messages. Left out are those that are gone, and those that cannot be read: a
    /// damaged message must not hold up the webhooks of others.
    pub(crate) async fn metadata_of(
        &self,
        messages: &BTreeSet<MessageId>,
    ) -> Result<BTreeMap<MessageId, BTreeMap<String, String>>, StoreError> {
        if messages.is_empty() {
            return Ok(BTreeMap::new());
        }
        let keys: Vec<i64> = messages.iter().map(|message| message.storage_key()).collect();
        let query = sqlx::query("SELECT envelope FROM message WHERE key IN (SELECT value FROM json_each(?))");
        let query = query.bind(serde_json::Value::from(keys).to_string());
        let rows = query.fetch_all(self.reads()).await.map_err(unreadable("reading metadata"))?;
        let ids = rows.iter().flat_map(|row| StoredEnvelope::keys_of(row.get(0))).collect();
        let known = self.known_keys(ids).await?;
        let envelopes = rows.iter().filter_map(|row| read_envelope(row.get(0), &known).ok());
        Ok(envelopes.map(|envelope| (envelope.id, envelope.metadata)).collect())
    }

    /// The terms with presumably the fewest messages.
    async fn narrowest_terms(&self, query: &MessageQuery) -> Result<Vec<i64>, StoreError> {
        let scope = TenantScope::new(query.tenant, query.mode);
        match (&query.to, &query.tag) {
            (Some(address), _) => self.terms_of(scope, &RecipientAddress::wanted(address)).await,
            (None, Some(tag)) => Ok(vec![term::tag(query.tenant, query.mode, tag)]),
            (None, None) => Ok(vec![term::list(query.tenant, query.mode)]),
        }
    }

    /// What a recipient's messages are found by; nothing for one that was erased.
    pub(crate) async fn terms_of(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
    ) -> Result<Vec<i64>, StoreError> {
        let mut terms = Vec::new();
        if self.has_plain_envelopes() {
            terms.push(term::plain_to(scope.tenant, scope.mode, address.normal()));
        }
        terms.extend(self.term_of(scope, address).await?);
        Ok(terms)
    }

    /// What everything about a recipient is found by; `None` for one that was erased or never met.
    pub(crate) async fn term_of(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
    ) -> Result<Option<i64>, StoreError> {
        let recipient = term::recipient(self.vault().key(), scope, address);
        if let Some((_, key)) = self.vault().of_recipient(recipient) {
            return Ok(Some(key.term()));
        }
        let query = sqlx::query("SELECT data_key FROM recipient WHERE recipient = ?");
        let found = query.bind(recipient.0.to_vec()).fetch_optional(self.reads()).await;
        let Some(row) = found.map_err(unreadable("looking for a recipient"))? else { return Ok(None) };
        let id = KeyId(row.get(0));
        match self.known_keys([id].into()).await?.get(&id) {
            Some(Known::Key(key)) => Ok(Some(key.term())),
            Some(Known::Erased(_)) | None => Ok(None),
        }
    }
}

fn key_range(query: &MessageQuery) -> Range<i64> {
    let key_at = |at: UnixMillis| MessageId::new(at, 0).storage_key();
    let start =
        query.created_after.map_or(0, |bound| key_at(UnixMillis(bound.0.saturating_sub(MINTED_WITHIN_MS))));
    let created = query.created_before.map_or(i64::MAX, |bound| key_at(bound.plus_ms(MINTED_WITHIN_MS)));
    let cursor = query.before.map_or(i64::MAX, MessageId::storage_key);
    start..created.min(cursor)
}
