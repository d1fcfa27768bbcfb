//! `GET /admin/v1/tenants/{id}/keys`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};

use super::{super::tenants, key::KeyView};
use crate::{api::Api, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let tenant = tenants::find(&api, &id)?;
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let all = api.directory().read(|snapshot| snapshot.keys_of(Some(tenant.value.id)));
    Ok(reply::ok(&page.of_all(all, |entry| entry.key.id.as_u128(), |entry| KeyView::listed(&entry))))
}
