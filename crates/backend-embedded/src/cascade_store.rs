//! Cascades.

use std::sync::Arc;

use async_trait::async_trait;
use hermes_domain::{MessageId, cascade::decode};
use hermes_ports::{
    CascadeStore, StoreError,
    cascade_store::{Commit, OpenCascade, Revision, StoredCascade},
};
use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    backend::EmbeddedBackend,
    columns::{damaged, id_bits, id_bytes, unreadable},
    commit::PreparedCommit,
};

#[async_trait]
impl CascadeStore for EmbeddedBackend {
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError> {
        let prepared = PreparedCommit::new(commit)?;
        self.writer().write("committing a cascade", move |tx| prepared.apply(tx)).await
    }

    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError> {
        let query = sqlx::query(
            "SELECT s.id, s.revision, s.state, m.envelope FROM state s JOIN message m ON m.key = s.key
             WHERE s.key = ? AND s.id = ?",
        );
        let query = query.bind(id.storage_key()).bind(id_bytes!(id).to_vec());
        let row = query.fetch_optional(self.reads()).await.map_err(unreadable("loading a cascade"))?;
        row.map(|row| stored(&row)).transpose()
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

/// Reads id, revision, state and envelope, in this order.
pub(crate) fn stored(row: &SqliteRow) -> Result<StoredCascade, StoreError> {
    let id = MessageId::from_u128(id_bits(row.get(0))?);
    let state = decode(row.get(2)).map_err(|_| damaged(format!("state of {id}")))?;
    let envelope = serde_json::from_slice(row.get(3)).map_err(|_| damaged(format!("envelope of {id}")))?;
    let revision = Revision(u64::try_from(row.get::<i64, _>(1)).unwrap_or_default());
    Ok(StoredCascade { envelope: Arc::new(envelope), state, revision })
}
