//! `DELETE /admin/v1/quotes/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};

use super::quote::find;
use crate::{api::Api, etag, gate::Operator, problem::Problem, reply};

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    let expected = etag::if_match(&headers, stored.version)?;
    api.directory().delete_quote(stored.value.id, expected).await?;
    Ok(reply::no_content())
}
