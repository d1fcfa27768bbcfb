//! Tenants and their keys.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::HeaderMap,
    response::Response,
};
use hermes_directory::DirectoryError;
use hermes_domain::{
    TenantId,
    tenant::{ApiKey, KeyOwner, Tenant},
};
use serde_json::{Value, json};

use crate::{
    auth,
    check::Check,
    messages::parse,
    problem::Problem,
    request::{self, BODY_MAX, reply},
    state::ApiState,
};

/// A directory's refusal in the API's words.
pub(crate) fn refused(error: DirectoryError) -> Problem {
    match error {
        DirectoryError::NotFound => Problem::not_found("object"),
        DirectoryError::Conflict => {
            Problem::new(409, "conflict", "it exists already or was changed meanwhile")
        }
        other => Problem::internal(&other),
    }
}

fn shown(tenant: &Tenant) -> Value {
    json!({
        "id": tenant.id,
        "name": tenant.name,
        "suspended": tenant.suspended,
        "default_cascade": tenant.default_cascade,
        "created_at": tenant.created_at.rfc3339(),
    })
}

pub(crate) async fn create(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Problem> {
    auth::operator(&state, request.headers())?;
    let body = request::json(&state, request, BODY_MAX).await?;
    let mut check = Check::default();
    let tenant = check.object(&body, "", &["name", "default_cascade"]).and_then(|map| {
        let name = check.text(map, "", "name", 200);
        if name.is_none() {
            check.fault("/name", "required", "this field is required");
        }
        let default_cascade = map.get("default_cascade").filter(|value| !value.is_null()).cloned();
        if let Some(cascade) = &default_cascade {
            parse::cascade(&mut check, cascade, "/default_cascade");
        }
        Some(Tenant {
            id: state.ports.mint.tenant(),
            name: name?,
            suspended: false,
            default_cascade,
            created_at: state.ports.clock.now(),
        })
    });
    check.finish()?;
    let tenant = tenant.ok_or_else(|| Problem::schema(Vec::new()))?;
    let shown = shown(&tenant);
    state.ports.directory.create_tenant(tenant).await.map_err(refused)?;
    Ok(reply(201, &shown))
}

pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::operator(&state, &headers)?;
    let tenants = state.ports.directory.read(|snapshot| snapshot.tenants());
    let data: Vec<Value> = tenants.iter().map(|tenant| shown(&tenant.value)).collect();
    Ok(reply(200, &json!({ "data": data, "next_cursor": null, "has_more": false })))
}

fn find(state: &ApiState, headers: &HeaderMap, id: &str) -> Result<TenantId, Problem> {
    auth::operator(state, headers)?;
    let id = id.parse().ok().filter(|id| state.ports.directory.tenant(*id).is_some());
    id.ok_or_else(|| Problem::not_found("tenant"))
}

pub(crate) async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let id = find(&state, &headers, &id)?;
    let tenant = state.ports.directory.tenant(id).ok_or_else(|| Problem::not_found("tenant"))?;
    Ok(reply(200, &shown(&tenant)))
}

pub(crate) async fn suspend(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    set_suspended(&state, find(&state, &headers, &id)?, true).await
}

pub(crate) async fn resume(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    set_suspended(&state, find(&state, &headers, &id)?, false).await
}

async fn set_suspended(state: &ApiState, id: TenantId, suspended: bool) -> Result<Response, Problem> {
    let tenant = state.ports.directory.set_suspended(id, suspended).await.map_err(refused)?;
    Ok(reply(200, &shown(&tenant.value)))
}

fn shown_key(key: &ApiKey) -> Value {
    let mode = match key.owner {
        KeyOwner::Tenant(_, mode) => Some(mode),
        KeyOwner::Operator => None,
    };
    json!({
        "id": key.id,
        "name": key.name,
        "mode": mode,
        "scopes": key.scopes,
        "expires_at": key.expires_at.map(hermes_domain::UnixMillis::rfc3339),
        "created_at": key.created_at.rfc3339(),
    })
}

pub(crate) async fn create_key(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let tenant = find(&state, request.headers(), &id)?;
    let body = request::json(&state, request, BODY_MAX).await?;
    let mut check = Check::default();
    let key = check.object(&body, "", &["name", "mode", "scopes", "expires_at"]).and_then(|map| {
        let name = check.text(map, "", "name", 200).unwrap_or_else(|| "key".to_owned());
        let mode = check.word(map, "", "mode", "live, test");
        if !map.contains_key("mode") {
            check.fault("/mode", "required", "this field is required");
        }
        let scopes = check.texts(map, "", "scopes", 20, 64);
        let expires_at =
            check.text(map, "", "expires_at", 64).map(|text| hermes_domain::UnixMillis::parse_rfc3339(&text));
        if expires_at == Some(None) {
            check.fault("/expires_at", "format", "expected an RFC 3339 time");
        }
        let owner = KeyOwner::Tenant(tenant, mode?);
        Some(ApiKey {
            id: state.ports.mint.key(),
            owner,
            name,
            scopes,
            expires_at: expires_at.flatten(),
            created_at: state.ports.clock.now(),
        })
    });
    check.finish()?;
    let key = key.ok_or_else(|| Problem::schema(Vec::new()))?;
    let mut body = shown_key(&key);
    body["key"] = json!(state.ports.directory.create_key(key).await.map_err(refused)?);
    Ok(reply(201, &body))
}

pub(crate) async fn list_keys(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let tenant = find(&state, &headers, &id)?;
    let keys = state.ports.directory.read(|snapshot| snapshot.keys_of(Some(tenant)));
    let data: Vec<Value> = keys.iter().map(|key| shown_key(key)).collect();
    Ok(reply(200, &json!({ "data": data, "next_cursor": null, "has_more": false })))
}
