//! Batches and their items as tenants see them.

use std::collections::BTreeMap;

use hermes_domain::{
    BatchId, UnixMillis,
    batch::{Batch, BatchItem, ItemOutcome},
    cascade::MessageStatus,
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{api::Api, gate::Caller, problem::Problem};

/// A batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Batch)]
pub(super) struct BatchView {
    /// Its id.
    id: String,
    /// `live` or `test`.
    mode: &'static str,
    /// `running`; `paused`; `cancelling`, then `cancelled`; `completed`: no item waits any more.
    state: &'static str,
    /// Items.
    total: u32,
    /// Items that were not taken yet.
    waiting: u32,
    /// Items that became messages.
    accepted: u32,
    /// Items that were refused.
    refused: u32,
    /// Items that were dropped before they were taken.
    cancelled: u32,
    /// The share of items that do not wait any more, from 0 to 1.
    progress: f64,
    /// How many of its messages are in which status now, of those that are kept; null in lists.
    messages: Option<BTreeMap<&'static str, u32>>,
    /// Until when it may stay paused: then the items that wait are dropped. Null unless it is paused.
    paused_until: Option<String>,
    /// When it was handed over.
    created_at: String,
    /// When its state or counts changed last.
    updated_at: String,
}

impl BatchView {
    pub(super) fn of(batch: &Batch) -> Self {
        let counts = batch.counts;
        Self {
            id: batch.id.to_string(),
            mode: batch.scope.mode.as_str(),
            state: batch.state.as_str(),
            total: counts.total,
            waiting: counts.waiting(),
            accepted: counts.accepted,
            refused: counts.refused,
            cancelled: counts.cancelled,
            progress: f64::from(counts.settled()) / f64::from(counts.total.max(1)),
            messages: None,
            paused_until: batch.paused_until().map(UnixMillis::rfc3339),
            created_at: batch.created_at.rfc3339(),
            updated_at: batch.updated_at.rfc3339(),
        }
    }

    /// With the statuses of its messages.
    pub(super) async fn whole(api: &Api, batch: &Batch) -> Result<Self, Problem> {
        let mut messages: BTreeMap<_, _> =
            MessageStatus::ALL.into_iter().map(|status| (status.as_str(), 0)).collect();
        for (status, count) in api.ports.batches.statuses(batch.scope, batch.id).await? {
            messages.insert(status.as_str(), count);
        }
        Ok(Self { messages: Some(messages), ..Self::of(batch) })
    }
}

/// An item of a batch.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = BatchItemStatus)]
pub(super) struct ItemView {
    /// Its place in the request, from 0.
    index: u32,
    /// `waiting`, `accepted`, `refused` or `cancelled`.
    status: &'static str,
    /// The id of its message, if it was accepted.
    id: Option<String>,
    /// The problem, if it was refused.
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
}

impl ItemView {
    pub(super) fn of(item: &BatchItem) -> Self {
        let (id, problem) = match &item.outcome {
            ItemOutcome::Accepted(id) => (Some(id.to_string()), None),
            ItemOutcome::Refused(problem) => (None, serde_json::from_str(problem).ok()),
            ItemOutcome::Waiting | ItemOutcome::Cancelled => (None, None),
        };
        Self { index: item.index, status: item.outcome.as_str(), id, problem }
    }
}

/// The caller's batch with the id that a path names.
pub(super) async fn find(api: &Api, caller: &Caller, id: &str) -> Result<Batch, Problem> {
    let id: BatchId = id.parse().map_err(|_| Problem::not_found())?;
    api.ports.batches.get(caller.scope(), id).await?.ok_or_else(Problem::not_found)
}
