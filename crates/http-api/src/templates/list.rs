//! `GET /v1/templates`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::view::TemplateSummary;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let all = api.directory().read(|snapshot| snapshot.templates_of(caller.scope()));
    let shown = page.of_all(all, |entry| entry.template.id.as_u128(), |entry| TemplateSummary::of(&entry));
    Ok(reply::ok(&shown))
}
