//! `GET /v1/routes`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::route::RouteView;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let all = api.directory().read(|snapshot| snapshot.routes_of(caller.tenant.id, caller.mode));
    let shown =
        page.of_all(all, |stored| stored.value.id.as_u128(), |stored| RouteView::of(&api, &stored.value));
    Ok(reply::ok(&shown))
}
