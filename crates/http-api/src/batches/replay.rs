//! The reply of a JSON batch, given again. It is made from the batch: nothing of its messages is kept twice.

use axum::response::Response;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hermes_domain::{
    BatchId,
    batch::{BatchItem as StoredItem, BatchState, ItemOutcome},
    tenant::TenantScope,
};
use hermes_ports::StoreError;
use http::StatusCode;
use serde_json::Value;

use super::{
    create::{BatchItem, BatchReply, answer},
    direct::MESSAGES_MAX,
};
use crate::{
    api::Api,
    idempotency::REPLAYED,
    messages::MessageAccepted,
    problem::{Code, Problem},
};

/// Messages read at one time.
const AT_ONCE: usize = 16;

/// What the request of a batch was answered. `None`: it was not, because a crash came between, or some of its items
/// were refused for a reason that passes. Those release their keys as if they had been sent alone.
pub(super) async fn earlier(api: &Api, scope: TenantScope, id: BatchId) -> Result<Option<Response>, Problem> {
    let Some(mut batch) = api.ports.batches.get(scope, id).await? else { return Ok(None) };
    let items = api.ports.batches.items(scope, id, 0, MESSAGES_MAX).await?;
    if batch.state == BatchState::Completed && items.iter().any(|item| is_passing(&item.outcome)) {
        return Ok(None);
    }
    let shown = stream::iter(items).map(|item| shown(api, scope, item)).buffered(AT_ONCE);
    let data = shown.try_collect().await?;
    // It may have been cancelled since.
    batch.state = BatchState::Completed;
    let mut response = answer(&BatchReply::of(&batch, data));
    response.headers_mut().insert(REPLAYED.0, REPLAYED.1);
    Ok(Some(response))
}

async fn shown(api: &Api, scope: TenantScope, item: StoredItem) -> Result<BatchItem, StoreError> {
    let index = item.index as usize;
    let accepted = StatusCode::ACCEPTED.as_u16();
    Ok(match item.outcome {
        ItemOutcome::Accepted(id) => {
            let stored = api.ports.store.load(scope, id).await?;
            let message = stored.map(|stored| MessageAccepted::of(&stored.envelope));
            BatchItem { index, status: accepted, id: Some(id.to_string()), message, problem: None }
        }
        ItemOutcome::Refused(text) => {
            let problem = document(&text);
            BatchItem { index, status: status_of(&problem), id: None, message: None, problem: Some(problem) }
        }
        // Items of uploads: those of a JSON body are taken before there is a batch.
        ItemOutcome::Waiting | ItemOutcome::Cancelled => {
            BatchItem { index, status: accepted, id: None, message: None, problem: None }
        }
    })
}

/// Whether the same message may be accepted later.
fn is_passing(outcome: &ItemOutcome) -> bool {
    match outcome {
        ItemOutcome::Refused(text) => {
            let problem = document(text);
            let status = status_of(&problem);
            status == StatusCode::TOO_MANY_REQUESTS.as_u16()
                || status >= StatusCode::INTERNAL_SERVER_ERROR.as_u16()
                || problem.get("code").is_some_and(|code| code == Code::IdempotencyInProgress.as_str())
        }
        ItemOutcome::Accepted(_) | ItemOutcome::Waiting | ItemOutcome::Cancelled => false,
    }
}

fn document(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn status_of(problem: &Value) -> u16 {
    let status = problem.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
    status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY.as_u16())
}
