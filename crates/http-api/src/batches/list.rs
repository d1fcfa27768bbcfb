//! `GET /v1/batches`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_domain::BatchId;

use super::view::BatchView;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let before = page.before.map(BatchId::from_u128);
    let found = api.ports.batches.list(caller.scope(), before, page.limit + 1).await?;
    Ok(reply::ok(&page.list(found, |batch| batch.id.as_u128(), |batch| BatchView::of(&batch))))
}
