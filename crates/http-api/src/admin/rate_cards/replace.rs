//! `PUT /admin/v1/tenants/{id}/rate_cards/{card}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::{calendar::day_of, pricing::RateCard};

use super::{
    super::tenants,
    card::{RateCardView, Wanted, find, wanted},
};
use crate::{api::Api, body, etag, gate::Operator, problem::Problem, reply};

pub(super) async fn replace(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path((id, card)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let tenant = tenants::find(&api, &id)?.value.id;
    let stored = find(&api, tenant, &card)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let Wanted { valid_from, currency, rates } = wanted(incoming.value)?;
    let expected = etag::required_if_match(&incoming.parts.headers, stored.version)?;
    let now = api.now();
    let next = RateCard { valid_from, currency, rates, updated_at: now, ..RateCard::clone(&stored.value) };
    let view = RateCardView::of(&next);
    let version = api.directory().update_rate_card(next, expected, day_of(now)).await?;
    Ok(reply::ok_version(&view, version))
}
