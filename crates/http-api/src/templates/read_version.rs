//! `GET /v1/templates/{id}/versions/{version}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::view::{VersionView, find};
use crate::{api::Api, gate::Caller, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let entry = find(&api, &caller, &id)?;
    let number = version.parse().map_err(|_| Problem::not_found())?;
    Ok(reply::ok(&VersionView::of(&entry, number)?))
}
