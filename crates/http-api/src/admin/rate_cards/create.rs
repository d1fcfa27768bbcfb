//! `POST /admin/v1/tenants/{id}/rate_cards`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::{calendar::day_of, pricing::RateCard};

use super::{
    super::tenants,
    card::{RateCardView, Wanted, wanted},
};
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let tenant = tenants::find(&api, &id)?.value.id;
        let Wanted { valid_from, currency, rates } = wanted(incoming.value)?;
        let now = api.now();
        let id = api.ports.mint.rate_card();
        let card = RateCard { id, tenant, valid_from, currency, rates, created_at: now, updated_at: now };
        let view = RateCardView::of(&card);
        let version = api.directory().create_rate_card(card, day_of(now)).await?;
        let location = format!("/admin/v1/tenants/{tenant}/rate_cards/{id}");
        Ok(Reply::created(&location, &view).version(version))
    })
    .await
}
