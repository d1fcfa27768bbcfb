//! A tenant's webhook endpoints and their deliveries.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{HeaderMap, Uri},
    response::{IntoResponse as _, Response},
};
use hermes_directory::EndpointEntry;
use hermes_domain::{UnixMillis, event::EventKind, tenant::Endpoint};
use hermes_ports::outbox::{Delivery, DeliveryStatus};
use serde_json::{Value, json};

use crate::{
    auth::{self, Caller},
    check::Check,
    messages::list::{PAGE, PAGE_MAX},
    problem::Problem,
    rate,
    request::{self, BODY_MAX, reply},
    state::ApiState,
};

/// Operational event types beside those of a timeline.
const OPERATIONAL: [&str; 6] = [
    "inbound.received",
    "recipient.opted_out",
    "webhook.disabled",
    "quota.threshold_reached",
    "provider.degraded",
    "provider.recovered",
];

pub(crate) async fn create(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, request.headers())?;
    rate::admit(&state, caller.tenant)?;
    let body = request::json(&state, request, BODY_MAX).await?;
    let mut check = Check::default();
    let endpoint = parse(&mut check, &state, caller, &body);
    check.finish()?;
    let endpoint = endpoint.ok_or_else(|| Problem::schema(Vec::new()))?;
    let shown = view(&endpoint);
    let created =
        state.ports.directory.create_endpoint(endpoint).await.map_err(|error| Problem::internal(&error))?;
    let mut body = shown;
    body["secret"] = json!(created.1);
    Ok(reply(201, &body))
}

fn parse(check: &mut Check, state: &ApiState, caller: Caller, body: &Value) -> Option<Endpoint> {
    let map = check.object(body, "", &["url", "event_types", "description"])?;
    let url = check.text(map, "", "url", 2_048);
    let fit = |url: &String| {
        let http = url.starts_with("https://") || url.starts_with("http://");
        http && url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains('@')
    };
    if !url.as_ref().is_some_and(fit) {
        check.fault("/url", "format", "expected an http(s) URL without credentials");
    }
    let event_types = check.texts(map, "", "event_types", 50, 64);
    for (index, name) in event_types.iter().enumerate() {
        let known = EventKind::ALL.iter().any(|kind| kind.webhook_allowed() && kind.as_str() == name);
        if !known && !OPERATIONAL.contains(&name.as_str()) {
            check.fault(&format!("/event_types/{index}"), "enum", "no such event type");
        }
    }
    let description = check.text(map, "", "description", 500);
    Some(Endpoint {
        id: state.ports.mint.endpoint(),
        tenant: caller.tenant,
        mode: caller.mode,
        url: url?,
        event_types,
        description,
        disabled: false,
        created_at: state.ports.clock.now(),
    })
}

fn view(endpoint: &Endpoint) -> Value {
    json!({
        "id": endpoint.id,
        "mode": endpoint.mode,
        "url": endpoint.url,
        "event_types": endpoint.event_types,
        "description": endpoint.description,
        "disabled": endpoint.disabled,
        "created_at": endpoint.created_at.rfc3339(),
    })
}

fn own(state: &ApiState, headers: &HeaderMap, id: &str) -> Result<EndpointEntry, Problem> {
    let caller = auth::tenant(state, headers)?;
    rate::admit(state, caller.tenant)?;
    let entry = id.parse().ok().and_then(|id| state.ports.directory.endpoint(id));
    let mine =
        |entry: &EndpointEntry| (entry.endpoint.tenant, entry.endpoint.mode) == (caller.tenant, caller.mode);
    entry.filter(mine).ok_or_else(|| Problem::not_found("webhook endpoint"))
}

pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, &headers)?;
    rate::admit(&state, caller.tenant)?;
    let endpoints = state.ports.directory.endpoints_for(caller.tenant, caller.mode);
    let data: Vec<Value> = endpoints.iter().rev().map(|endpoint| view(endpoint)).collect();
    Ok(reply(200, &json!({ "data": data, "next_cursor": null, "has_more": false })))
}

pub(crate) async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(reply(200, &view(&own(&state, &headers, &id)?.endpoint)))
}

pub(crate) async fn delete(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entry = own(&state, &headers, &id)?;
    state
        .ports
        .directory
        .delete_endpoint(entry.endpoint.id, None)
        .await
        .map_err(|error| Problem::internal(&error))?;
    Ok(http::StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn rotate(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entry = own(&state, &headers, &id)?;
    let now = state.ports.clock.now();
    let rotated = state.ports.directory.rotate_secret(entry.endpoint.id, now).await;
    let secret = rotated.map_err(|error| Problem::internal(&error))?;
    let mut body = view(&entry.endpoint);
    body["secret"] = json!(secret);
    Ok(reply(200, &body))
}

pub(crate) async fn deliveries(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entry = own(&state, &headers, &id)?;
    let parameter = |name: &str| parameter(&uri, name);
    let limit = parameter("limit").and_then(|limit| limit.parse().ok()).unwrap_or(PAGE).clamp(1, PAGE_MAX);
    let before = parameter("cursor").and_then(|cursor| cursor.parse().ok());
    let listed = state.ports.outbox.list(entry.endpoint.id, before, limit + 1).await;
    let mut found = listed.map_err(|error| Problem::internal(&error))?;
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found.last().filter(|_| has_more).map(|last| last.event.to_string());
    let data: Vec<Value> = found.iter().map(delivery).collect();
    Ok(reply(200, &json!({ "data": data, "next_cursor": next_cursor, "has_more": has_more })))
}

fn delivery(delivery: &Delivery) -> Value {
    let pending = delivery.status == DeliveryStatus::Pending;
    json!({
        "id": delivery.event,
        "message_id": delivery.message,
        "type": delivery.event_type,
        "status": match delivery.status {
            DeliveryStatus::Pending => "pending",
            DeliveryStatus::Delivered => "delivered",
            DeliveryStatus::Failed => "failed",
        },
        "attempts": delivery.attempts,
        "next_attempt_at": pending.then(|| delivery.next_at.rfc3339()),
        "response_status": delivery.last_status,
        "error": delivery.last_error,
        "created_at": delivery.created_at.rfc3339(),
    })
}

pub(crate) async fn redeliver(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let entry = own(&state, &headers, &id)?;
    let since = parameter(&uri, "since").and_then(|since| UnixMillis::parse_rfc3339(&since));
    let since =
        since.ok_or_else(|| Problem::new(422, "parameter_invalid", "since must be an RFC 3339 time"))?;
    let dry_run = parameter(&uri, "dry_run").is_some_and(|value| value == "true");
    let counted = state.ports.outbox.redeliver(entry.endpoint.id, since, dry_run).await;
    let count = counted.map_err(|error| Problem::internal(&error))?;
    Ok(reply(if dry_run { 200 } else { 202 }, &json!({ "count": count, "dry_run": dry_run })))
}

fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
