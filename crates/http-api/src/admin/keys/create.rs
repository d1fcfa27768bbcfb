//! `POST /admin/v1/tenants/{id}/keys`.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::Response,
};
use hermes_domain::{
    access::{Scope, Scopes},
    message::Mode,
    tenant::{ApiKey, KeyOwner},
};

use super::{super::tenants, key::KeyCreated};
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, once},
    problem::Problem,
    reply::Reply,
    schema::{self, ahead, choice, list, text},
};

pub(in crate::admin) const MODES: &[(&str, Mode)] = &[("live", Mode::Live), ("test", Mode::Test)];
const SCOPES: &[(&str, Scope)] = &[("send", Scope::Send), ("read", Scope::Read), ("manage", Scope::Manage)];

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    _: Operator,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let tenant = tenants::find(&api, &id)?;
        let (name, mode, scopes, expires_at) = schema::root(incoming.value, |object, faults| {
            let name = object.required("name", faults, text(1..=200));
            let mode = object.required("mode", faults, choice(MODES));
            let scopes =
                object.optional("scopes", faults, list(1..=SCOPES.len(), choice(SCOPES))).unwrap_or_default();
            let expires_at = object.optional("expires_at", faults, ahead(api.now()));
            Some((name?, mode?, scopes, expires_at))
        })?;
        let key = ApiKey {
            id: api.ports.mint.key(),
            owner: KeyOwner::Tenant(tenant.value.id, mode),
            name,
            scopes: Scopes::named(scopes),
            role: None,
            hint: None,
            expires_at,
            created_at: api.now(),
        };
        let (key, secret) = api.directory().create_key(key).await?;
        let location = format!("/admin/v1/tenants/{}/keys/{}", tenant.value.id, key.id);
        Ok(Reply::created(&location, &KeyCreated::of(&key, secret)).with_secrets(&["key"]))
    })
    .await
}
