//! `POST /v1/webhooks/{id}/rotate_secret`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use super::endpoint::{EndpointCreated, find};
use crate::{
    api::Api,
    gate::Caller,
    idempotency::{bodiless, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn rotate_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let keyed = bodiless(&api, caller.scope(), request).await?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        let (version, secret) = api.directory().rotate_secret(stored.endpoint.id, api.now()).await?;
        let rotated = EndpointCreated::of(&stored.endpoint, secret);
        Ok(Reply::ok(&rotated).version(version).with_secrets(&["secret"]))
    })
    .await
}
