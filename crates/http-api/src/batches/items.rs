//! `GET /v1/batches/{id}/items`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};

use super::view::{ItemView, find};
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn items(
    State(api): State<Arc<Api>>,
    caller: Caller,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let batch = find(&api, &caller, &id).await?;
    // Cursors of this list name the last item of a page: items come in the order of the request.
    let last = page.before.map(|last| u32::try_from(last).unwrap_or(u32::MAX));
    let from = last.map_or(0, |last| last.saturating_add(1));
    let found = api.ports.batches.items(batch.scope, batch.id, from, page.limit + 1).await?;
    Ok(reply::ok(&page.list(found, |item| item.index.into(), |item| ItemView::of(&item))))
}
