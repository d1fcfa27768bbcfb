//! `POST /admin/v1/quotes`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::pricing::Quote;

use super::quote::{QuoteView, Wanted, wanted};
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
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let Wanted { name, channel, country, terms } = wanted(incoming.value)?;
        let now = api.now();
        let id = api.ports.mint.quote();
        let quote = Quote { id, name, channel, country, terms, created_at: now, updated_at: now };
        let view = QuoteView::of(&quote);
        let version = api.directory().create_quote(quote).await?;
        Ok(Reply::created(&format!("/admin/v1/quotes/{id}"), &view).version(version))
    })
    .await
}
