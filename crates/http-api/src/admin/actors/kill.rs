//! `POST /admin/v1/actors/{id}/kill`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use http::StatusCode;
use serde::Serialize;
use tracing::warn;
use utoipa::ToSchema;

use crate::{
    api::Api,
    gate::Operator,
    idempotency::{OPERATOR, bodiless, once},
    problem::Problem,
    reply::Reply,
};

/// An actor that was told to end.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Killed {
    /// Its id.
    id: String,
    /// Always true.
    killed: bool,
}

pub(super) async fn kill(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(path): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let id = path.strip_suffix("/kill").ok_or_else(Problem::not_found)?.to_owned();
    let keyed = bodiless(&api, OPERATOR, request).await?;
    once(&api, keyed, async {
        if !api.ports.actors.kill(&id).await {
            return Err(Problem::not_found());
        }
        warn!(actor.id = id, "an operator ended an actor");
        Ok(Reply::new(StatusCode::ACCEPTED, &Killed { id, killed: true }))
    })
    .await
}
