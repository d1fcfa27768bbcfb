//! `GET /admin/v1/quotes`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::quote::QuoteView;
use crate::{api::Api, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let all = api.directory().read(|snapshot| snapshot.quotes());
    let shown = page.of_all(all, |stored| stored.value.id.as_u128(), |stored| QuoteView::of(&stored.value));
    Ok(reply::ok(&shown))
}
