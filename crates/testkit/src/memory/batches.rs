//! Batches.

use std::collections::BTreeMap;

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{
    BatchId, TenantId, UnixMillis,
    batch::{Batch, BatchItem, BatchState, ItemOutcome},
    cascade::MessageStatus,
    tenant::TenantScope,
};
use hermes_ports::{Batches, StoreError, batches::WaitingLine, idempotency::Claim};

use super::{MemoryBackend, Tables};

/// A batch, and each item with its line for as long as it waits.
pub(super) struct Row {
    batch: Batch,
    items: Vec<(ItemOutcome, Bytes)>,
}

#[async_trait]
impl Batches for MemoryBackend {
    async fn open(&self, batch: Batch, under_way_max: usize) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        let ours = tables.batches.values().filter(|row| row.batch.scope == batch.scope);
        if ours.filter(|row| row.batch.state.is_under_way()).count() >= under_way_max {
            return Err(StoreError::Full);
        }
        if tables.batches.contains_key(&batch.id) {
            return Err(StoreError::Conflict);
        }
        tables.batches.insert(batch.id, Row { batch, items: Vec::new() });
        Ok(())
    }

    async fn append(&self, scope: TenantScope, id: BatchId, lines: Vec<Bytes>) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        let row = tables.batch_in(scope, id, BatchState::Receiving)?;
        row.items.extend(lines.into_iter().map(|line| (ItemOutcome::Waiting, line)));
        row.batch.counts.total = u32::try_from(row.items.len()).unwrap_or(u32::MAX);
        Ok(())
    }

    async fn start(
        &self,
        scope: TenantScope,
        id: BatchId,
        claim: Option<Claim>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        if claim.as_ref().is_some_and(|claim| tables.held_claim(claim, now).is_some()) {
            return Err(StoreError::ClaimTaken);
        }
        let row = tables.batch_in(scope, id, BatchState::Receiving)?;
        (row.batch.state, row.batch.updated_at) = (BatchState::Running, now);
        claim.into_iter().for_each(|claim| tables.put_claim(claim));
        Ok(())
    }

    async fn record(&self, batch: Batch, items: Vec<BatchItem>) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        let items = items.into_iter().map(|item| (item.outcome, Bytes::new())).collect();
        tables.batches.insert(batch.id, Row { batch, items });
        Ok(())
    }

    async fn get(&self, scope: TenantScope, id: BatchId) -> Result<Option<Batch>, StoreError> {
        let tables = self.tables.lock();
        let found = tables.batches.get(&id).map(|row| &row.batch);
        Ok(found.filter(|batch| is_shown(batch, scope)).cloned())
    }

    async fn list(
        &self,
        scope: TenantScope,
        before: Option<BatchId>,
        limit: usize,
    ) -> Result<Vec<Batch>, StoreError> {
        let tables = self.tables.lock();
        let newest_first = tables.batches.values().rev().map(|row| &row.batch);
        let shown = newest_first.filter(|batch| is_shown(batch, scope));
        let older = shown.filter(|batch| before.is_none_or(|before| batch.id < before));
        Ok(older.take(limit).cloned().collect())
    }

    async fn items(
        &self,
        scope: TenantScope,
        id: BatchId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<BatchItem>, StoreError> {
        let tables = self.tables.lock();
        let Some(row) = tables.batches.get(&id).filter(|row| row.batch.scope == scope) else {
            return Ok(Vec::new());
        };
        let all = (0..).zip(&row.items).map(|(index, (outcome, _))| (index, outcome.clone()));
        let wanted = all.skip(from as usize).take(limit);
        Ok(wanted.map(|(index, outcome)| BatchItem { index, outcome }).collect())
    }

    async fn statuses(
        &self,
        scope: TenantScope,
        id: BatchId,
    ) -> Result<Vec<(MessageStatus, u32)>, StoreError> {
        let tables = self.tables.lock();
        let row = tables.batches.get(&id).filter(|row| row.batch.scope == scope);
        let mut counts = BTreeMap::new();
        for (outcome, _) in row.into_iter().flat_map(|row| &row.items) {
            let ItemOutcome::Accepted(id) = outcome else { continue };
            if let Some(message) = tables.cascades.get(id) {
                let status = message.stored.state.status();
                let (_, count) = counts.entry(status as usize).or_insert((status, 0));
                *count += 1;
            }
        }
        Ok(counts.into_values().collect())
    }

    async fn waiting(
        &self,
        scope: TenantScope,
        id: BatchId,
        from: u32,
        limit: usize,
    ) -> Result<Vec<WaitingLine>, StoreError> {
        let tables = self.tables.lock();
        let row = tables.batches.get(&id).filter(|row| row.batch.scope == scope);
        let all = row.into_iter().flat_map(|row| (0..).zip(&row.items)).skip(from as usize);
        let waiting = all.filter(|(_, (outcome, _))| *outcome == ItemOutcome::Waiting).take(limit);
        Ok(waiting.map(|(index, (_, line))| WaitingLine { index, body: line.clone() }).collect())
    }

    async fn settle(
        &self,
        scope: TenantScope,
        id: BatchId,
        items: Vec<BatchItem>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        let Some(row) = tables.batches.get_mut(&id).filter(|row| row.batch.scope == scope) else {
            return Ok(());
        };
        for item in items {
            if let Some(waiting @ (ItemOutcome::Waiting, _)) = row.items.get_mut(item.index as usize) {
                row.batch.counts.count(&item.outcome);
                *waiting = (item.outcome, Bytes::new());
            }
        }
        row.batch.updated_at = now;
        Ok(())
    }

    async fn set_state(
        &self,
        scope: TenantScope,
        id: BatchId,
        (from, to): (BatchState, BatchState),
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        let row = tables.batch_in(scope, id, from)?;
        (row.batch.state, row.batch.updated_at) = (to, now);
        Ok(())
    }

    async fn owing(&self, now: UnixMillis, limit: usize) -> Result<Vec<Batch>, StoreError> {
        let tables = self.tables.lock();
        let owing = tables.batches.values().map(|row| &row.batch).filter(|batch| batch.owes_work(now));
        Ok(owing.take(limit).cloned().collect())
    }

    async fn under_way(&self, scope: TenantScope) -> Result<Vec<Batch>, StoreError> {
        let tables = self.tables.lock();
        let ours = tables.batches.values().map(|row| &row.batch).filter(|batch| is_shown(batch, scope));
        Ok(ours.filter(|batch| batch.state.is_under_way()).cloned().collect())
    }

    async fn any_under_way(&self, tenant: TenantId) -> Result<bool, StoreError> {
        let tables = self.tables.lock();
        let mut ours = tables.batches.values().filter(|row| row.batch.scope.tenant == tenant);
        Ok(ours.any(|row| row.batch.state.is_under_way()))
    }

    async fn discard(&self, scope: TenantScope, id: BatchId) -> Result<(), StoreError> {
        self.tables.lock().batches.retain(|_, row| (row.batch.scope, row.batch.id) != (scope, id));
        Ok(())
    }

    async fn discard_uploads(&self, before: UnixMillis) -> Result<(), StoreError> {
        let is_left = |batch: &Batch| batch.state == BatchState::Receiving && batch.created_at < before;
        self.tables.lock().batches.retain(|_, row| !is_left(&row.batch));
        Ok(())
    }

    async fn discard_all(&self, tenant: TenantId) -> Result<(), StoreError> {
        self.tables.lock().batches.retain(|_, row| row.batch.scope.tenant != tenant);
        Ok(())
    }
}

impl Tables {
    fn batch_in(
        &mut self,
        scope: TenantScope,
        id: BatchId,
        state: BatchState,
    ) -> Result<&mut Row, StoreError> {
        let found = self.batches.get_mut(&id);
        found.filter(|row| (row.batch.scope, row.batch.state) == (scope, state)).ok_or(StoreError::Conflict)
    }
}

fn is_shown(batch: &Batch, scope: TenantScope) -> bool {
    batch.scope == scope && batch.state != BatchState::Receiving
}
