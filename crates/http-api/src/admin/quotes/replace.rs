//! `PUT /admin/v1/quotes/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::pricing::Quote;

use super::quote::{QuoteView, Wanted, find, wanted};
use crate::{api::Api, body, etag, gate::Operator, problem::Problem, reply};

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let Wanted { name, channel, country, terms } = wanted(incoming.value)?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let next = Quote { name, channel, country, terms, updated_at: api.now(), ..Quote::clone(&stored.value) };
    let view = QuoteView::of(&next);
    let version = api.directory().update_quote(next, expected).await?;
    Ok(reply::ok_version(&view, version))
}
