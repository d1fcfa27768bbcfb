//! `GET /admin/v1/tenants`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};

use super::tenant::TenantView;
use crate::{api::Api, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let all = api.directory().read(hermes_directory::Snapshot::tenants);
    let shown = page.of_all(all, |tenant| tenant.value.id.as_u128(), |tenant| TenantView::of(&tenant.value));
    Ok(reply::ok(&shown))
}
