//! `PUT /v1/routes/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_directory::StoredRoute;

use super::route::{RouteView, Wanted, find, wanted};
use crate::{api::Api, body, etag, gate::Caller, problem::Problem, reply};

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let Wanted { name, position, rule } = wanted(incoming.value)?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let next =
        StoredRoute { name, position, rule, updated_at: api.now(), ..StoredRoute::clone(&stored.value) };
    let view = RouteView::of(&api, &next);
    let version = api.directory().update_route(next, expected).await?;
    Ok(reply::ok_version(&view, version))
}
