//! `POST /admin/v1/keys`.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_domain::{
    access::{Role, Scopes},
    tenant::{ApiKey, KeyOwner},
};

use super::super::keys::key::KeyCreated;
use crate::{
    api::Api,
    body,
    gate::Operator,
    idempotency::{Keyed, OPERATOR, once},
    problem::Problem,
    reply::Reply,
    schema::{self, ahead, choice, text},
};

const ROLES: &[(&str, Role)] =
    &[("viewer", Role::Viewer), ("operator", Role::Operator), ("admin", Role::Admin)];

pub(super) async fn create(
    State(api): State<Arc<Api>>,
    _: Operator,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(&api, request, body::ORDINARY_MAX).await?;
    let keyed = Keyed::of_json(OPERATOR, &incoming.parts, &incoming.value)?;
    once(&api, keyed, async {
        let (name, role, expires_at) = schema::root(incoming.value, |object, faults| {
            let name = object.required("name", faults, text(1..=200));
            let role = object.required("role", faults, choice(ROLES));
            let expires_at = object.optional("expires_at", faults, ahead(api.now()));
            Some((name?, role?, expires_at))
        })?;
        let key = ApiKey {
            id: api.ports.mint.key(),
            owner: KeyOwner::Operator,
            name,
            scopes: Scopes::All,
            role: Some(role),
            hint: None,
            expires_at,
            created_at: api.now(),
        };
        let (key, secret) = api.directory().create_key(key).await?;
        let location = format!("/admin/v1/keys/{}", key.id);
        Ok(Reply::created(&location, &KeyCreated::of(&key, secret)).with_secrets(&["key"]))
    })
    .await
}
