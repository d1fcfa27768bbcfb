//! `POST /v1/webhooks/{id}/rotate_secret`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use super::endpoint::{EndpointCreated, find};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::Problem,
    reply::Reply,
    schema,
};

pub(super) async fn rotate_secret(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::optional_json(&api, request).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    schema::root(incoming.value, |_, _| Some(()))?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        let secret = api.directory().rotate_secret(stored.endpoint.id, api.now()).await?;
        Ok(Reply::ok(&EndpointCreated::of(&stored.endpoint, secret)).with_secrets(&["secret"]))
    })
    .await
}
