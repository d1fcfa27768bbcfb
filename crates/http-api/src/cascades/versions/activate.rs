//! `POST /v1/cascades/{id}/versions/{version}/activate`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_directory::CascadeTemplate;

use super::super::stored::{CascadeView, find};
use crate::{
    api::Api,
    etag::Precondition,
    gate::Caller,
    idempotency::{bodiless, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn activate(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((id, version)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let precondition = Precondition::of(request.headers())?;
    let keyed = bodiless(&api, caller.scope(), request).await?;
    once(&api, keyed, async {
        let stored = find(&api, &caller, &id)?;
        precondition.at(stored.version)?;
        let number = version.parse().map_err(|_| Problem::not_found())?;
        let next = CascadeTemplate::clone(&stored.value).activated(number, api.now())?;
        let view = CascadeView::of(&next);
        let version = api.directory().update_cascade(next, Some(stored.version)).await?;
        Ok(Reply::ok(&view).version(version))
    })
    .await
}
