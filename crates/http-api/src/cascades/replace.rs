//! `PUT /v1/cascades/{id}`: makes a version that is active at once.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_directory::CascadeTemplate;

use super::stored::{CascadeView, find, named_cascade};
use crate::{api::Api, body, etag, gate::Caller, problem::Problem, reply};

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let (name, cascade) = named_cascade(&api, &caller, incoming.value)?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let now = api.now();
    let renamed = CascadeTemplate { name, updated_at: now, ..CascadeTemplate::clone(&stored.value) };
    let (next, number) = renamed.with_version(cascade, now)?;
    let next = next.activated(number, now)?;
    let view = CascadeView::of(&next);
    let version = api.directory().update_cascade(next, expected).await?;
    Ok(reply::ok_version(&view, version))
}
