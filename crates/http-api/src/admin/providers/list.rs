//! `GET /admin/v1/providers`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_directory::ConnectionEntry;

use super::connection::ConnectionView;
use crate::{api::Api, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let key = |entry: &ConnectionEntry| entry.access.connection.id.as_u128();
    let mut all: Vec<_> = api.directory().read(|snapshot| snapshot.connections().cloned().collect());
    all.sort_by_key(|entry| std::cmp::Reverse(key(entry)));
    Ok(reply::ok(&page.of_all(all, key, |entry| ConnectionView::of(&api, &entry))))
}
