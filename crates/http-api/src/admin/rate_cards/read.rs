//! `GET /admin/v1/tenants/{id}/rate_cards/{card}`.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{
    super::tenants,
    card::{RateCardView, find},
};
use crate::{api::Api, gate::Operator, problem::Problem, reply};

pub(super) async fn read(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path((id, card)): Path<(String, String)>,
) -> Result<Response, Problem> {
    let tenant = tenants::find(&api, &id)?.value.id;
    let stored = find(&api, tenant, &card)?;
    Ok(reply::ok_version(&RateCardView::of(&stored.value), stored.version))
}
