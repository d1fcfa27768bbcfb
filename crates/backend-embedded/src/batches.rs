//! Batches: what is asked of them.

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{
    BatchId, TenantId, UnixMillis,
    batch::{Batch, BatchItem, BatchState, PAUSE_MS_MAX},
    cascade::MessageStatus,
    tenant::TenantScope,
};
use hermes_ports::{Batches, StoreError, batches::WaitingLine, idempotency::Claim};
use hermes_sealing::KeyId;
use rusqlite::params;
use sqlx::Row as _;

use crate::{
    backend::EmbeddedBackend,
    batch_lines::{self, overwriting},
    batch_rows::{self, COLUMNS, place},
    claim,
    columns::{damaged, id_bytes, millis, mode_number, rows, unreadable},
    writer::WriteTx,
};

/// Keys of batches that are removed altogether: nobody is ever told when they were destroyed.
const REMOVED: UnixMillis = UnixMillis(0);

#[async_trait]
impl Batches for EmbeddedBackend {
    async fn open(&self, batch: Batch, under_way_max: usize) -> Result<(), StoreError> {
        let open = move |tx: &mut WriteTx<'_>| {
            let mut count = tx.db.prepare_cached(
                "SELECT count(*) FROM batch WHERE tenant = ?1 AND mode = ?2 AND state NOT IN ('cancelled', 'completed')",
            )?;
            let of = params![id_bytes!(batch.scope.tenant), mode_number(batch.scope.mode)];
            let under_way: i64 = count.query_row(of, |row| row.get(0))?;
            if under_way >= rows(under_way_max) {
                return Ok(Err(StoreError::Full));
            }
            let Some(number) = batch_rows::insert(tx.db, &batch)? else {
                return Ok(Err(StoreError::Conflict));
            };
            let (key, _) = tx.keys.anonymous()?;
            let mut set = tx.db.prepare_cached("UPDATE batch SET data_key = ?2 WHERE number = ?1")?;
            set.execute(params![number, key.0])?;
            Ok(Ok(()))
        };
        self.writer().write("opening a batch", open).await
    }

    async fn append(&self, scope: TenantScope, id: BatchId, lines: Vec<Bytes>) -> Result<(), StoreError> {
        let append = move |tx: &mut WriteTx<'_>| {
            let Some(row) = batch_rows::find(tx.db, scope, id, Some(BatchState::Receiving))? else {
                return Ok(Err(StoreError::Conflict));
            };
            let mut insert = tx.db.prepare_cached("INSERT INTO batch_line (key, body) VALUES (?1, ?2)")?;
            let data_key = batch_lines::writing_key(tx.db, tx.keys, row.number)?;
            for (key, line) in (row.first_key() + row.total..).zip(&lines) {
                insert.execute(params![key, batch_lines::seal(data_key.as_ref(), key, line)?])?;
            }
            let mut count = tx.db.prepare_cached("UPDATE batch SET total = total + ?2 WHERE number = ?1")?;
            count.execute(params![row.number, rows(lines.len())])?;
            Ok(Ok(()))
        };
        self.writer().write("keeping lines of a batch", append).await
    }

    async fn start(
        &self,
        scope: TenantScope,
        id: BatchId,
        claim: Option<Claim>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let start = move |tx: &mut WriteTx<'_>| {
            if let Some(claim) = &claim
                && claim::is_taken(tx.db, claim, now, None)?
            {
                return Ok(Err(StoreError::ClaimTaken));
            }
            let change = (BatchState::Receiving, BatchState::Running);
            if !batch_rows::change_state(tx.db, scope, id, change, now)? {
                return Ok(Err(StoreError::Conflict));
            }
            claim.iter().try_for_each(|claim| claim::put(tx.db, claim)).map(Ok)
        };
        self.writer().write("starting a batch", start).await
    }

    async fn record(&self, batch: Batch, items: Vec<BatchItem>) -> Result<(), StoreError> {
        let record = move |tx: &mut WriteTx<'_>| {
            if let Some(found) = batch_rows::find(tx.db, batch.scope, batch.id, None)? {
                found.clear(tx.db, i64::MAX)?;
                found.delete(tx.db)?;
            }
            let Some(number) = batch_rows::insert(tx.db, &batch)? else {
                return Ok(Err(StoreError::Conflict));
            };
            for item in &items {
                batch_rows::insert_item(tx.db, place(number, item.index), &item.outcome)?;
            }
            Ok(Ok(()))
        };
        self.writer().write("recording a batch", record).await
    }

    async fn get(&self, scope: TenantScope, id: BatchId) -> Result<Option<Batch>, StoreError> {
        let mut query = batch_rows::of_scope(scope);
        query.push(" AND id = ").push_bind(id_bytes!(id).to_vec());
        let row = query.build().fetch_optional(self.reads()).await.map_err(unreadable("reading a batch"))?;
        row.as_ref().map(batch_rows::stored).transpose()
    }

    async fn list(
        &self,
        scope: TenantScope,
        before: Option<BatchId>,
        limit: usize,
    ) -> Result<Vec<Batch>, StoreError> {
        let mut query = batch_rows::of_scope(scope);
        if let Some(before) = before {
            query.push(" AND id < ").push_bind(id_bytes!(before).to_vec());
        }
        query.push(" ORDER BY id DESC LIMIT ").push_bind(rows(limit));
        let found = query.build().fetch_all(self.reads()).await.map_err(unreadable("listing batches"))?;
        found.iter().map(batch_rows::stored).collect()
    }

    async fn items(
        &self,
        scope: TenantScope,
        id: BatchId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<BatchItem>, StoreError> {
        let Some(number) = self.number(scope, id).await? else { return Ok(Vec::new()) };
        let query = sqlx::query(
            "SELECT key, message, problem, 0 AS waits FROM batch_item WHERE key >= ?1 AND key < ?2
             UNION ALL SELECT key, NULL, NULL, 1 FROM batch_line WHERE key >= ?1 AND key < ?2
             ORDER BY key LIMIT ?3",
        );
        let query = query.bind(place(number, from)).bind(place(number + 1, 0)).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("reading items of a batch"))?;
        found.iter().map(batch_rows::item).collect()
    }

    async fn statuses(
        &self,
        scope: TenantScope,
        id: BatchId,
    ) -> Result<Vec<(MessageStatus, u32)>, StoreError> {
        let Some(number) = self.number(scope, id).await? else { return Ok(Vec::new()) };
        let query = sqlx::query(
            "SELECT state.status, count(*) FROM batch_item JOIN state ON state.key = batch_item.stored
             WHERE batch_item.key >= ? AND batch_item.key < ? GROUP BY state.status ORDER BY state.status",
        );
        let query = query.bind(place(number, 0)).bind(place(number + 1, 0));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("counting a batch's messages"))?;
        let counted = found.iter().map(|row| {
            let status = usize::try_from(row.get::<i64, _>(0)).ok();
            let status = status.and_then(|position| MessageStatus::ALL.get(position).copied());
            let count = u32::try_from(row.get::<i64, _>(1)).unwrap_or(u32::MAX);
            Ok((status.ok_or_else(|| damaged("a status of a later build"))?, count))
        });
        counted.collect()
    }

    async fn waiting(
        &self,
        scope: TenantScope,
        id: BatchId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<WaitingLine>, StoreError> {
        let Some((number, data_key)) = self.number_and_key(scope, id).await? else { return Ok(Vec::new()) };
        let known = self.known_keys(data_key.into_iter().collect()).await?;
        let query =
            sqlx::query("SELECT key, body FROM batch_line WHERE key >= ? AND key < ? ORDER BY key LIMIT ?");
        let query = query.bind(place(number, from)).bind(place(number + 1, 0)).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("reading lines of a batch"))?;
        let line = |row: &sqlx::sqlite::SqliteRow| {
            let (place, stored): (i64, Vec<u8>) = (row.get(0), row.get(1));
            let body = batch_lines::open(data_key, &known, place, stored).transpose()?;
            Some(body.map(|body| WaitingLine { index: batch_rows::index(place), body }))
        };
        found.iter().filter_map(line).collect()
    }

    async fn settle(
        &self,
        scope: TenantScope,
        id: BatchId,
        items: Vec<BatchItem>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let settle = move |tx: &mut WriteTx<'_>| {
            if let Some(row) = batch_rows::find(tx.db, scope, id, None)? {
                overwriting(tx.db, |db| batch_rows::settle(db, row.number, &items, now))?;
            }
            Ok(Ok(()))
        };
        self.writer().write("settling items of a batch", settle).await
    }

    async fn set_state(
        &self,
        scope: TenantScope,
        id: BatchId,
        change: (BatchState, BatchState),
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let set = move |tx: &mut WriteTx<'_>| {
            if !batch_rows::change_state(tx.db, scope, id, change, now)? {
                return Ok(Err(StoreError::Conflict));
            }
            let ended = batch_rows::find(tx.db, scope, id, None)?.filter(|_| !change.1.is_under_way());
            let key = ended.map(|found| batch_lines::give_up_key(tx.db, found.number, now)).transpose()?;
            Ok(Ok(key.flatten()))
        };
        let key = self.writer().write("changing a batch", set).await?;
        self.destroy_key(key, now).await
    }

    async fn owing(&self, now: UnixMillis, limit: usize) -> Result<Vec<Batch>, StoreError> {
        let text = format!(
            "SELECT {COLUMNS} FROM batch
             WHERE (state IN ('running', 'cancelling') OR (state = 'paused' AND updated_at <= ?))
             AND state NOT IN ('cancelled', 'completed') ORDER BY id LIMIT ?"
        );
        let abandoned = UnixMillis(now.0.saturating_sub(PAUSE_MS_MAX));
        let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(millis(abandoned)).bind(rows(limit));
        let found = query.fetch_all(self.reads()).await.map_err(unreadable("looking for batches"))?;
        found.iter().map(batch_rows::stored).collect()
    }

    async fn under_way(&self, scope: TenantScope) -> Result<Vec<Batch>, StoreError> {
        let mut query = batch_rows::of_scope(scope);
        query.push(" AND state IN ('running', 'paused', 'cancelling')");
        query.push(" AND state NOT IN ('cancelled', 'completed') ORDER BY id");
        let found = query.build().fetch_all(self.reads()).await;
        found.map_err(unreadable("looking for batches under way"))?.iter().map(batch_rows::stored).collect()
    }

    async fn any_under_way(&self, tenant: TenantId) -> Result<bool, StoreError> {
        let query = sqlx::query(
            "SELECT 1 FROM batch WHERE tenant = ? AND mode IN (0, 1) AND state NOT IN ('cancelled', 'completed') LIMIT 1",
        );
        let query = query.bind(id_bytes!(tenant).to_vec()).fetch_optional(self.reads());
        Ok(query.await.map_err(unreadable("looking for a tenant's batches"))?.is_some())
    }

    async fn discard(&self, scope: TenantScope, id: BatchId) -> Result<(), StoreError> {
        let find = move |tx: &mut WriteTx<'_>| {
            Ok(Ok(batch_rows::find(tx.db, scope, id, None)?.map(|row| row.number).into_iter().collect()))
        };
        let found = self.writer().write("looking for a batch", find).await?;
        self.discard_numbers(found).await
    }

    async fn discard_uploads(&self, before: UnixMillis) -> Result<(), StoreError> {
        let find = move |tx: &mut WriteTx<'_>| {
            let of = params![millis(before)];
            let text = "SELECT number FROM batch WHERE state = 'receiving' AND created_at < ?1
                        AND state NOT IN ('cancelled', 'completed')";
            batch_rows::numbers(tx.db, text, of).map(Ok)
        };
        let found = self.writer().write("looking for broken uploads", find).await?;
        self.discard_numbers(found).await
    }

    async fn discard_all(&self, tenant: TenantId) -> Result<(), StoreError> {
        let find = move |tx: &mut WriteTx<'_>| {
            let of = params![id_bytes!(tenant)];
            batch_rows::numbers(tx.db, "SELECT number FROM batch WHERE tenant = ?1", of).map(Ok)
        };
        let found = self.writer().write("looking for a tenant's batches", find).await?;
        self.discard_numbers(found).await
    }
}

impl EmbeddedBackend {
    async fn number(&self, scope: TenantScope, id: BatchId) -> Result<Option<i64>, StoreError> {
        Ok(self.number_and_key(scope, id).await?.map(|(number, _)| number))
    }

    async fn number_and_key(
        &self,
        scope: TenantScope,
        id: BatchId,
    ) -> Result<Option<(i64, Option<KeyId>)>, StoreError> {
        let query =
            sqlx::query("SELECT number, data_key FROM batch WHERE id = ? AND tenant = ? AND mode = ?");
        let query = query.bind(id_bytes!(id).to_vec()).bind(id_bytes!(scope.tenant).to_vec());
        let row = query.bind(mode_number(scope.mode)).fetch_optional(self.reads()).await;
        let row = row.map_err(unreadable("looking for a batch"))?;
        Ok(row.map(|row| (row.get(0), row.get::<Option<i64>, _>(1).map(KeyId))))
    }

    /// Destroys the key of a batch that has ended; a start does it if this does not come to it.
    async fn destroy_key(&self, key: Option<KeyId>, at: UnixMillis) -> Result<(), StoreError> {
        let Some(key) = key else { return Ok(()) };
        let destroy = move |tx: &mut WriteTx<'_>| tx.keys.destroy_all(tx.db, &[key], at).map(Ok);
        self.writer().write("destroying the key of a batch", destroy).await
    }

    /// Hides the batches first, then removes them piece by piece, so that commits hardly wait.
    async fn discard_numbers(&self, numbers: Vec<i64>) -> Result<(), StoreError> {
        for number in numbers {
            let hide = move |tx: &mut WriteTx<'_>| {
                let key = batch_lines::give_up_key(tx.db, number, REMOVED)?;
                let hide = "UPDATE batch SET state = 'receiving', created_at = 0 WHERE number = ?1";
                tx.db.execute(hide, [number])?;
                Ok(Ok(key))
            };
            let key = self.writer().write("hiding a batch", hide).await?;
            self.destroy_key(key, REMOVED).await?;
            let remove = move |tx: &mut WriteTx<'_>| {
                overwriting(tx.db, |db| batch_rows::remove_some(db, number)).map(Ok)
            };
            while self.writer().write("removing a batch", remove).await? {}
        }
        Ok(())
    }
}
