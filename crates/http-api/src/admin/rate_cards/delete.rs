//! `DELETE /admin/v1/tenants/{id}/rate_cards/{card}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use hermes_domain::calendar::day_of;

use super::{super::tenants, card::find};
use crate::{api::Api, etag, gate::Operator, problem::Problem, reply};

pub(super) async fn delete(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path((id, card)): Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = tenants::find(&api, &id)?.value.id;
    let stored = find(&api, tenant, &card)?;
    let expected = etag::if_match(&headers, stored.version)?;
    api.directory().delete_rate_card(tenant, stored.value.id, expected, day_of(api.now())).await?;
    Ok(reply::no_content())
}
