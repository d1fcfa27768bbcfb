//! `PATCH /admin/v1/tenants/{id}`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};

use super::policy::policy;
use super::tenant::{TenantView, default_cascade, find};
use crate::{
    api::Api,
    body, etag,
    gate::Operator,
    problem::Problem,
    reply,
    schema::{self, text},
};

pub(super) async fn update(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let stored = find(&api, &id)?;
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let cleared = incoming.value.get("default_cascade").is_some_and(serde_json::Value::is_null);
    let (name, cascade, policy) = schema::root(incoming.value, |object, faults| {
        let name = object.omittable("name", faults, text(1..=200));
        let cascade = object.optional("default_cascade", faults, default_cascade(&api, stored.value.id));
        let policy = object.optional("policy", faults, policy);
        Some((name, cascade, policy))
    })?;
    let expected = etag::if_match(&incoming.parts.headers, stored.version)?;
    let change = |tenant: &mut hermes_domain::tenant::Tenant| {
        tenant.name = name.unwrap_or_else(|| tenant.name.clone());
        tenant.policy = policy.unwrap_or_else(|| std::mem::take(&mut tenant.policy));
        tenant.default_cascade = cascade.or_else(|| tenant.default_cascade.take().filter(|_| !cleared));
    };
    let changed = api.directory().update_tenant(stored.value.id, expected, change).await?;
    Ok(reply::ok_version(&TenantView::of(&changed.value), changed.version))
}
