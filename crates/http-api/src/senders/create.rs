//! `POST /v1/senders`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::{sender::Sender, tenant::TenantScope};

use super::sender::{SenderView, Wanted, wanted};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, once},
    problem::Problem,
    reply::Reply,
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let Wanted { description, identity } = wanted(&caller.tenant.policy, incoming.value)?;
        let now = api.now();
        let TenantScope { tenant, mode } = caller.scope();
        let id = api.ports.mint.sender();
        let (created_at, updated_at) = (now, now);
        let sender =
            Sender { id, tenant, mode, description, identity, status_reason: None, created_at, updated_at };
        let view = SenderView::of(&api, &sender);
        let version = api.directory().create_sender(sender).await?;
        Ok(Reply::created(&format!("/v1/senders/{id}"), &view).version(version))
    })
    .await
}
