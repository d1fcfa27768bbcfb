//! `GET /v1/cascades/{id}/versions/{version}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{super::stored::find, VersionView};
use crate::{api::Api, gate::Caller, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path((id, version)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?.value;
    let version = version.parse().ok().and_then(|number| stored.version(number));
    let version = version.ok_or_else(Problem::not_found)?;
    Ok(reply::ok(&VersionView::of(&stored, version)))
}
