//! `GET /v1/templates/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::view::{TemplateView, find};
use crate::{api::Api, gate::Caller, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let entry = find(&api, &caller, &id)?;
    Ok(reply::ok_version(&TemplateView::of(&entry)?, entry.version))
}
