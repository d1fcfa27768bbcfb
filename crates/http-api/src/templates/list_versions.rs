//! `GET /v1/templates/{id}/versions`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};
use hermes_directory::TemplateVersion;

use super::view::{VersionSummary, find};
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
    let entry = find(&api, &caller, &id)?;
    let newest_first = entry.template.versions.iter().rev().collect();
    let key = |version: &&TemplateVersion| version.number.into();
    Ok(reply::ok(&page.of_all(newest_first, key, |version| VersionSummary::of(&entry, version))))
}
