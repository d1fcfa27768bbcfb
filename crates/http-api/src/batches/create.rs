//! `POST /v1/batches`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use http::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{IdempotencyKey, Keyed, fingerprint},
    messages::{Acceptance, MessageAccepted, accept, trace},
    problem::Problem,
    reply,
    request_id::RequestId,
    schema::{self, list},
};

/// Most messages of a batch.
pub(super) const MESSAGES_MAX: usize = 1_000;
const PATH: &str = "/v1/batches";

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BatchReply {
    /// One result per message, in the order of the request.
    data: Vec<BatchItem>,
    /// How many were accepted.
    accepted: usize,
    /// How many were refused.
    refused: usize,
}

/// What became of one message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BatchItem {
    /// Its place in the request, from 0.
    index: usize,
    /// The status that it would have got alone.
    status: u16,
    /// Its id, if it was accepted.
    id: Option<String>,
    /// The reply, if it was accepted.
    message: Option<MessageAccepted>,
    /// The problem, if it was refused.
    #[schema(value_type = Option<Object>)]
    problem: Option<Value>,
}

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::BATCH_MAX).await?;
    let key = IdempotencyKey::of(&incoming.parts.headers)?;
    let trace = trace(&incoming.parts.headers);
    let messages = schema::root(incoming.value, |object, faults| {
        object.required("messages", faults, list(1..=MESSAGES_MAX, |message, _| Some(message)))
    })?;
    // All at once, so that they share the store's commits.
    let items = messages.into_iter().enumerate().map(|(index, body)| {
        let keyed = key.as_ref().map(|key| Keyed {
            scope: caller.scope(),
            key: key.item(index),
            fingerprint: fingerprint(&Method::POST, PATH, &body),
        });
        let (api, caller, request_id) = (&api, &caller, &request_id);
        async move {
            match accept(api, Acceptance { caller, body, keyed, trace }).await {
                Ok(accepted) => accepted_item(index, accepted.reply),
                Err(problem) => refused_item(index, &problem, request_id),
            }
        }
    });
    let data = futures::future::join_all(items).await;
    let accepted = data.iter().filter(|item| item.id.is_some()).count();
    let refused = data.len() - accepted;
    Ok(reply::json(StatusCode::ACCEPTED, &BatchReply { data, accepted, refused }))
}

fn accepted_item(index: usize, message: MessageAccepted) -> BatchItem {
    let id = Some(message.id.clone());
    BatchItem { index, status: StatusCode::ACCEPTED.as_u16(), id, message: Some(message), problem: None }
}

fn refused_item(index: usize, problem: &Problem, request_id: &RequestId) -> BatchItem {
    problem.count();
    let document = serde_json::to_value(problem.document(request_id.as_str(), PATH)).unwrap_or_default();
    let status = problem.code.status().as_u16();
    BatchItem { index, status, id: None, message: None, problem: Some(document) }
}
