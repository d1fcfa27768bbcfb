//! `GET /v1/suppressions/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::rule::{SuppressionView, find};
use crate::{api::Api, gate::Caller, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id).await?;
    Ok(reply::ok_version(&SuppressionView::of(&stored.rule), stored.version))
}
