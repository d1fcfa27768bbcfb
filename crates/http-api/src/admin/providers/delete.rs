//! `DELETE /admin/v1/providers/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::connection::find;
use crate::{api::Api, gate::Operator, problem::Problem, reply};

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    api.directory().delete_connection(stored.access.connection.id).await?;
    Ok(reply::no_content())
}
