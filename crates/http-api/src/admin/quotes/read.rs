//! `GET /admin/v1/quotes/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::quote::{QuoteView, find};
use crate::{api::Api, gate::Operator, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    Ok(reply::ok_version(&QuoteView::of(&stored.value), stored.version))
}
