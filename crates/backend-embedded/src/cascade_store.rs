//! Cascades.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use async_trait::async_trait;
use hermes_domain::{MessageId, cascade::decode};
use hermes_ports::{
    CascadeStore, StoreError,
    cascade_store::{Commit, OpenCascade, Revision, StoredCascade},
};
use hermes_sealing::{KeyId, sealed_envelope::StoredEnvelope};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, unreadable},
    commit::PreparedCommit,
    key_file,
    vault::{Known, read_envelope},
};

#[async_trait]
impl CascadeStore for EmbeddedBackend {
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError> {
        let prepared = PreparedCommit::new(commit, self.vault().key())?;
        self.writer().write("committing a cascade", move |tx| prepared.apply(tx)).await
    }

    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError> {
        let query = sqlx::query(
            "SELECT s.id, s.revision, s.state, m.envelope FROM state s JOIN message m ON m.key = s.key
             WHERE s.key = ? AND s.id = ?",
        );
        let query = query.bind(id.storage_key()).bind(id_bytes!(id).to_vec());
        let row = query.fetch_optional(self.reads()).await.map_err(unreadable("loading a cascade"))?;
        Ok(self.opened(row.as_slice()).await?.pop())
    }

    async fn open(
        &self,
        partition: u8,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError> {
        self.live().page(Some(partition), after, limit).await
    }

    async fn open_all(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<OpenCascade>, StoreError> {
        self.live().page(None, after, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.writer().write("answering a ping", |_| Ok(Ok(()))).await?;
        let read = sqlx::query("SELECT 1").fetch_one(self.reads()).await;
        read.map(drop).map_err(unreadable("answering a ping"))
    }
}

impl EmbeddedBackend {
    /// Reads id, revision, state and envelope, in this order, with the data keys that the envelopes need.
    pub(crate) async fn opened(&self, rows: &[SqliteRow]) -> Result<Vec<StoredCascade>, StoreError> {
        let ids = rows.iter().flat_map(|row| StoredEnvelope::keys_of(row.get(3))).collect();
        let known = self.known_keys(ids).await?;
        rows.iter().map(|row| stored(row, &known)).collect()
    }

    /// What there is under these ids.
    pub(crate) async fn known_keys(&self, ids: HashSet<KeyId>) -> Result<HashMap<KeyId, Known>, StoreError> {
        let (mut known, erasures) = self.vault().known(ids.iter().copied());
        let missing: Vec<KeyId> = ids.into_iter().filter(|id| !known.contains_key(id)).collect();
        if missing.is_empty() {
            return Ok(known);
        }
        let read = self.read_keys(missing.into_iter()).await?;
        self.vault().remember(&read, erasures);
        known.extend(read);
        Ok(known)
    }

    /// What the file says about these keys. Remembers nothing.
    pub(crate) async fn read_keys(
        &self,
        ids: impl Iterator<Item = KeyId> + Send,
    ) -> Result<HashMap<KeyId, Known>, StoreError> {
        let ids: Vec<i64> = ids.map(|id| id.0).collect();
        let query = sqlx::query(
            "SELECT id, wrapped, erased_at FROM data_key WHERE id IN (SELECT value FROM json_each(?))",
        );
        let query = query.bind(serde_json::Value::from(ids).to_string());
        let rows = query.fetch_all(self.key_reads()).await.map_err(unreadable("reading data keys"))?;
        let mut read = HashMap::with_capacity(rows.len());
        for row in &rows {
            let id = KeyId(row.get(0));
            let key = key_file::known(self.vault().key(), id, row.get(1), row.get(2));
            read.insert(id, key.map_err(|_| damaged(format!("data key {}", id.0)))?);
        }
        Ok(read)
    }
}

fn stored(row: &SqliteRow, known: &HashMap<KeyId, Known>) -> Result<StoredCascade, StoreError> {
    let id = MessageId::from_u128(id_bits(row.get(0))?);
    let state = decode(row.get(2)).map_err(|_| damaged(format!("state of {id}")))?;
    let envelope = read_envelope(row.get(3), known).map_err(|_| damaged(format!("envelope of {id}")))?;
    let revision = Revision(u64::try_from(row.get::<i64, _>(1)).unwrap_or_default());
    Ok(StoredCascade { envelope: Arc::new(envelope), state, revision })
}
