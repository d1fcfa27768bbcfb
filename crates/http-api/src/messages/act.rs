//! Cancel and acknowledge.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use hermes_domain::{
    MessageId,
    cascade::{Event, StepError},
};
use hermes_ports::cascade_inbox::{DeliverError, Delivered};

use super::{read::own, view};
use crate::{auth, problem::Problem, rate, request::reply, state::ApiState};

pub(crate) async fn cancel(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, &headers)?;
    rate::admit(&state, caller.tenant)?;
    let id = own(&state, caller, &id).await?.envelope.id;
    match deliver(&state, id, Event::Cancel).await? {
        Delivered::Ignored(StepError::Terminal) => {
            Err(Problem::new(409, "not_cancellable", "the message has ended"))
        }
        Delivered::Applied | Delivered::Ignored(StepError::Stale | StepError::Quarantined) => {
            show(&state, id).await
        }
    }
}

pub(crate) async fn acknowledge(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, &headers)?;
    rate::admit(&state, caller.tenant)?;
    let id = own(&state, caller, &id).await?.envelope.id;
    deliver(&state, id, Event::Acknowledge).await?;
    show(&state, id).await
}

/// The same without a key, for apps: the token is the proof.
pub(crate) async fn acknowledge_by_token(
    State(state): State<Arc<ApiState>>,
    Path(token): Path<String>,
) -> Result<Response, Problem> {
    let message =
        state.ports.directory.ack_tokens().message(&token).ok_or_else(|| Problem::not_found("token"))?;
    deliver(&state, message, Event::Acknowledge).await?;
    Ok(reply(200, &serde_json::json!({ "id": message, "acknowledged": true })))
}

async fn deliver(state: &ApiState, id: MessageId, event: Event) -> Result<Delivered, Problem> {
    state.ports.inbox.deliver(id, event, None).await.map_err(|error| match error {
        DeliverError::Unknown(_) => Problem::not_found("message"),
        DeliverError::Retry => Problem::overloaded("the message is busy"),
        DeliverError::Store(_) => Problem::internal(&error),
    })
}

async fn show(state: &ApiState, id: MessageId) -> Result<Response, Problem> {
    let stored = state.ports.store.load(id).await.map_err(|error| Problem::internal(&error))?;
    let stored = stored.ok_or_else(|| Problem::not_found("message"))?;
    let mut response = reply(200, &view::message(&stored));
    rate::tell(response.headers_mut());
    Ok(response)
}
