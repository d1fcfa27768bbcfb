//! `DELETE /admin/v1/keys/{key}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use hermes_domain::KeyId;

use crate::{api::Api, gate::Operator, problem::Problem, reply};

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(key): Path<String>,
) -> Result<Response, Problem> {
    let key: KeyId = key.parse().map_err(|_| Problem::not_found())?;
    api.directory().revoke_operator_key(key, api.now()).await?;
    Ok(reply::no_content())
}
