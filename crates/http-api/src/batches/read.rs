//! `GET /v1/batches/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::view::{BatchView, find};
use crate::{api::Api, gate::Caller, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let batch = find(&api, &caller, &id).await?;
    Ok(reply::ok(&BatchView::whole(&api, &batch).await?))
}
