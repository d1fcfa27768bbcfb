//! `POST /v1/cascades`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_directory::CascadeTemplate;

use super::stored::{CascadeView, named_cascade};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let (name, cascade) = named_cascade(&api, &caller, incoming.value)?;
        let stored = CascadeTemplate::new(api.ports.mint.cascade(), caller.scope(), name, cascade, api.now());
        let view = CascadeView::of(&stored);
        let location = format!("/v1/cascades/{}", stored.id);
        let version = api.directory().create_cascade(stored).await?;
        Ok(Reply::created(&location, &view).version(version))
    })
    .await
}
