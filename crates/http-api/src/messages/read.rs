//! `GET /v1/messages/{id}` and its timeline: always current.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use hermes_ports::cascade_store::StoredCascade;
use serde_json::json;

use super::view;
use crate::{
    auth::{self, Caller},
    problem::Problem,
    rate,
    request::reply,
    state::ApiState,
};

/// The caller's own message; others do not exist for it.
pub(crate) async fn own(state: &ApiState, caller: Caller, id: &str) -> Result<StoredCascade, Problem> {
    let unknown = || Problem::not_found("message");
    let id = id.parse().map_err(|_| unknown())?;
    let stored = state.ports.store.load(id).await.map_err(|error| Problem::internal(&error))?;
    let mine = |stored: &StoredCascade| {
        (stored.envelope.tenant, stored.envelope.mode) == (caller.tenant, caller.mode)
    };
    stored.filter(mine).ok_or_else(unknown)
}

pub(crate) async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, &headers)?;
    rate::admit(&state, caller.tenant)?;
    let stored = own(&state, caller, &id).await?;
    let mut response = reply(200, &view::message(&stored));
    rate::tell(response.headers_mut());
    Ok(response)
}

pub(crate) async fn events(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, &headers)?;
    rate::admit(&state, caller.tenant)?;
    let stored = own(&state, caller, &id).await?;
    let mut response =
        reply(200, &json!({ "data": view::timeline(&stored), "next_cursor": null, "has_more": false }));
    rate::tell(response.headers_mut());
    Ok(response)
}
