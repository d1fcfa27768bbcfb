//! `DELETE /v1/suppressions/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use super::{rule::find, update::other_version};
use crate::{api::Api, etag, gate::Caller, problem::Problem, reply};

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id).await?;
    let expected = etag::if_match(&headers, stored.version)?;
    let deleted = api.ports.suppressions.delete(caller.scope(), stored.rule.id, expected).await;
    if deleted.map_err(other_version)? { Ok(reply::no_content()) } else { Err(Problem::not_found()) }
}
