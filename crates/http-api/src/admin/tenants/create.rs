//! `POST /admin/v1/tenants`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::tenant::Tenant;

use super::policy::policy;
use super::tenant::{TenantView, default_cascade};
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, once},
    problem::Problem,
    reply::Reply,
    schema::{self, text},
};

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    _: Operator,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let id = api.ports.mint.tenant();
        let (name, cascade, policy) = schema::root(incoming.value, |object, faults| {
            let name = object.required("name", faults, text(1..=200));
            let cascade = object.optional("default_cascade", faults, default_cascade(&api, id));
            let policy = object.optional("policy", faults, policy).unwrap_or_default();
            Some((name?, cascade, policy))
        })?;
        let tenant =
            Tenant { id, name, suspended: false, default_cascade: cascade, policy, created_at: api.now() };
        let view = TenantView::of(&tenant);
        let location = format!("/admin/v1/tenants/{}", tenant.id);
        let version = api.directory().create_tenant(tenant).await?;
        Ok(Reply::created(&location, &view).version(version))
    })
    .await
}
