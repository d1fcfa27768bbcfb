//! What became of items is kept and counted.

use hermes_domain::batch::{Batch, BatchItem, BatchState};
use hermes_ports::StoreError;
use hermes_telemetry::names::{label, metric};
use tracing::info;

use super::{cancelling::drop_some, runner::Turn};
use crate::api::Api;

/// Says what became of items of a batch.
pub(super) async fn settle(api: &Api, batch: &Batch, items: Vec<BatchItem>) -> Result<(), StoreError> {
    let outcomes: Vec<_> = items.iter().map(|item| item.outcome.as_str()).collect();
    // A pause that is over goes on being over while its items are dropped.
    let now = if batch.state == BatchState::Paused { batch.updated_at } else { api.now() };
    api.ports.batches.settle(batch.scope, batch.id, items, now).await?;
    outcomes.into_iter().for_each(count);
    Ok(())
}

/// Counts an outcome.
pub(super) fn count(outcome: &'static str) {
    metrics::counter!(metric::BATCH_ITEMS_TOTAL, label::OUTCOME => outcome).increment(1);
}

/// Moves a batch on; somebody else may have.
pub(super) async fn enter(api: &Api, batch: &Batch, state: BatchState) -> Result<Turn, StoreError> {
    match api.ports.batches.set_state(batch.scope, batch.id, (batch.state, state), api.now()).await {
        Ok(()) | Err(StoreError::Conflict) => Ok(Turn::Done),
        Err(failure) => Err(failure),
    }
}

/// One turn of a batch that was paused for too long: what waits is dropped, and its messages go on.
pub(super) async fn abandon_some(api: &Api, batch: &Batch) -> Result<Turn, StoreError> {
    if drop_some(api, batch).await? {
        return Ok(Turn::More);
    }
    info!(
        tenant.id = %batch.scope.tenant,
        batch.id = %batch.id,
        items = batch.counts.cancelled,
        "a batch was paused for too long, and what waited was dropped"
    );
    enter(api, batch, BatchState::Completed).await
}
