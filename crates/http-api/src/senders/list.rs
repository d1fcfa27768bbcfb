//! `GET /v1/senders`.

use std::{cmp::Reverse, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};

use super::sender::SenderView;
use crate::{api::Api, gate::Caller, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(State(api): State<Arc<Api>>, caller: Caller, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let mut all = api.directory().read(|snapshot| snapshot.senders_of(caller.scope()));
    all.sort_by_key(|stored| Reverse(stored.value.id));
    let shown =
        page.of_all(all, |stored| stored.value.id.as_u128(), |stored| SenderView::of(&api, &stored.value));
    Ok(reply::ok(&shown))
}
