//! `POST /v1/batches`.

use std::sync::Arc;

use axum::{
    Extension,
    extract::{Request, State},
    response::Response,
};
use hermes_domain::batch::Batch;
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::{PATH, direct, is_upload, upload};
use crate::{
    api::Api, gate::Caller, messages::MessageAccepted, problem::Problem, reply, request_id::RequestId,
};

/// What became of a batch.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BatchReply {
    /// Its id; null where only the record of the batch could not be kept, while its messages were.
    pub(super) id: Option<String>,
    /// `completed`, or `running` for an upload.
    pub(super) state: &'static str,
    /// How many messages it has.
    pub(super) total: u32,
    /// One result per message, in the order of the request; empty for an upload.
    pub(super) data: Vec<BatchItem>,
    /// How many were accepted by now.
    pub(super) accepted: u32,
    /// How many were refused by now.
    pub(super) refused: u32,
}

/// What became of one message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct BatchItem {
    /// Its place in the request, from 0.
    pub(super) index: usize,
    /// The status that it would have got alone.
    pub(super) status: u16,
    /// Its id, if it was accepted.
    pub(super) id: Option<String>,
    /// The reply, if it was accepted.
    pub(super) message: Option<MessageAccepted>,
    /// The problem, if it was refused.
    #[schema(value_type = Option<Object>)]
    pub(super) problem: Option<Value>,
}

impl BatchReply {
    pub(super) fn of(batch: &Batch, data: Vec<BatchItem>) -> Self {
        Self {
            id: Some(batch.id.to_string()),
            state: batch.state.as_str(),
            total: batch.counts.total,
            data,
            accepted: batch.counts.accepted,
            refused: batch.counts.refused,
        }
    }
}

/// Says what became of a batch, and where it is.
pub(super) fn answer(shown: &BatchReply) -> Response {
    let mut response = reply::json(StatusCode::ACCEPTED, shown);
    let location = shown.id.as_ref().and_then(|id| HeaderValue::try_from(format!("{PATH}/{id}")).ok());
    if let Some(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Extension(request_id): Extension<RequestId>,
    request: Request,
) -> Result<Response, Problem> {
    if is_upload(request.headers()) {
        upload::upload(api, caller, request_id, request).await
    } else {
        direct::take_all(&api, &caller, &request_id, request).await
    }
}
