//! `GET /admin/v1/tenants/{id}/rate_cards`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::Uri,
    response::Response,
};

use super::{super::tenants, card::RateCardView};
use crate::{api::Api, gate::Operator, page::Page, problem::Problem, query::Query, reply};

pub(super) async fn list(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Problem> {
    let tenant = tenants::find(&api, &id)?.value.id;
    let mut query = Query::of(&uri);
    let page = Page::of(&mut query);
    query.finish()?;
    let all = api.directory().read(|snapshot| snapshot.rate_cards_of(tenant));
    Ok(reply::ok(&page.of_all(
        all,
        |stored| stored.value.id.as_u128(),
        |stored| RateCardView::of(&stored.value),
    )))
}
