//! `POST /admin/v1/parked/{message_id}/retry`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::MessageId;
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Operator,
    idempotency::{OPERATOR, bodiless, once},
    problem::Problem,
    reply::Reply,
};

/// A message that runs again.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = RetriedMessage)]
pub(super) struct Retried {
    /// Which.
    message_id: String,
}

pub(super) async fn retry(
    State(api): State<Arc<Api>>,
    operator: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id: MessageId = id.parse().map_err(|_| Problem::not_found())?;
    let keyed = bodiless(&api, OPERATOR, request).await?;
    once(&api, keyed, async {
        let stored = api.ports.store.load_any(&operator, id).await?.ok_or_else(Problem::not_found)?;
        if !api.ports.actors.release(stored.envelope.tenant, id).await {
            return Err(Problem::not_found());
        }
        Ok(Reply::new(StatusCode::ACCEPTED, &Retried { message_id: id.to_string() }))
    })
    .await
}
