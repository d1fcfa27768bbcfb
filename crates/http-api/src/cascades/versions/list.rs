//! `GET /v1/cascades/{id}/versions`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};

use super::{super::stored::find, VersionView};
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let stored = find(&api, &caller, &id)?.value;
    let newest_first = stored.versions.iter().rev().collect();
    let key = |version: &&hermes_directory::CascadeVersion| version.number.into();
    Ok(reply::ok(&page.of_all(newest_first, key, |version| VersionView::of(&stored, version))))
}
