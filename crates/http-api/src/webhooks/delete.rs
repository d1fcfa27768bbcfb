//! `DELETE /v1/webhooks/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use super::endpoint::find;
use crate::{api::Api, etag, gate::Caller, problem::Problem, reply};

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&api, &caller, &id)?;
    let expected = etag::if_match(&headers, stored.version)?;
    api.directory().delete_endpoint(stored.endpoint.id, expected).await?;
    Ok(reply::no_content())
}
