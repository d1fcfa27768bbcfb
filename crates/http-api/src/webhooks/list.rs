//! `GET /v1/webhooks`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::endpoint::EndpointView;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let endpoints = api.directory().endpoints_for(caller.tenant.id, caller.mode);
    let newest_first = endpoints.iter().rev().collect();
    let shown = page.of_all(newest_first, |one| one.id.as_u128(), |one| EndpointView::of(one));
    Ok(reply::ok(&shown))
}
