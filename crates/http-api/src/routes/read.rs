//! `GET /v1/routes/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::route::{RouteView, find};
use crate::{api::Api, gate::Caller, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    Ok(reply::ok_version(&RouteView::of(&api, &stored.value), stored.version))
}
