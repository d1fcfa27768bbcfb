//! Provider connections: made, read, checked, held. Credentials go in and never come out.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::{Path, Request, State},
    http::HeaderMap,
    response::{IntoResponse as _, Response},
};
use hermes_directory::ConnectionTerms;
use hermes_domain::{
    ConnectionId, address::Channel, connection::Connection, message::Mode, outcome::Outcome,
};
use hermes_ports::adapter::{Descriptor, FieldSpec, Secrets};
use serde_json::{Map, Value, json};

use super::tenants::refused;
use crate::{
    auth,
    check::Check,
    problem::Problem,
    request::{self, BODY_MAX, reply},
    state::ApiState,
};

const FIELDS: [&str; 10] = [
    "tenant_id",
    "mode",
    "provider",
    "name",
    "channel",
    "credentials",
    "config",
    "rate_per_s",
    "cost",
    "countries",
];
/// Settings that every connection takes beside its adapter's own.
const COMMON_CONFIG: [&str; 4] = ["base_url", "timeout_s", "callback_secret", "token_uri"];

pub(crate) async fn create(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Problem> {
    auth::operator(&state, request.headers())?;
    let body = request::json(&state, request, BODY_MAX).await?;
    let mut check = Check::default();
    let parsed = parse(&mut check, &state, &body);
    check.finish()?;
    let (connection, secrets) = parsed.ok_or_else(|| Problem::schema(Vec::new()))?;
    let shown = shown(&connection);
    state
        .ports
        .directory
        .create_connection(connection, ConnectionTerms::default(), secrets)
        .await
        .map_err(refused)?;
    Ok(reply(201, &shown))
}

fn parse(check: &mut Check, state: &ApiState, body: &Value) -> Option<(Connection, Secrets)> {
    let map = check.object(body, "", &FIELDS)?;
    let tenant = check
        .text(map, "", "tenant_id", 64)
        .map(|id| id.parse().ok().filter(|id| state.ports.directory.tenant(*id).is_some()));
    if tenant == Some(None) {
        check.fault("/tenant_id", "not_found", "no such tenant");
    }
    let mode = check.word(map, "", "mode", "live, test").unwrap_or(Mode::Live);
    let provider = check.text(map, "", "provider", 64)?;
    let Some(descriptor) = state.ports.adapters.descriptor(&provider) else {
        check.fault("/provider", "enum", "no adapter of this name is loaded");
        return None;
    };
    let name = check.text(map, "", "name", 64).unwrap_or_else(|| provider.clone());
    let channel = channel(check, map, &descriptor);
    let mut config = config(check, map, &descriptor);
    if mode == Mode::Test {
        // A test connection reaches nothing but the simulator, whatever it asks for.
        config.insert("base_url".to_owned(), json!(state.settings.simulator_url));
    }
    let secrets = check.text_map(map, "", "credentials", 20, 16_384);
    fields(check, "/credentials", &descriptor.credentials, |name| secrets.contains_key(name), secrets.keys());
    let connection = Connection {
        id: state.ports.mint.connection(),
        tenant: tenant.flatten(),
        mode,
        provider,
        name,
        channel: channel?,
        config,
        rate_per_s: check.number(map, "", "rate_per_s", (1, 1_000_000)),
        held: false,
        created_at: state.ports.clock.now(),
    };
    Some((connection, Secrets(secrets)))
}

fn channel(check: &mut Check, map: &Map<String, Value>, descriptor: &Descriptor) -> Option<Channel> {
    let channel = check
        .word(map, "", "channel", "sms, email, push, whatsapp")
        .or_else(|| descriptor.channels.first().copied());
    if channel.is_none_or(|channel| !descriptor.channels.contains(&channel)) {
        check.fault("/channel", "enum", "this provider does not carry this channel");
        return None;
    }
    channel
}

fn config(check: &mut Check, map: &Map<String, Value>, descriptor: &Descriptor) -> BTreeMap<String, Value> {
    let config: BTreeMap<String, Value> = match map.get("config") {
        None | Some(Value::Null) => BTreeMap::new(),
        Some(Value::Object(config)) => config.clone().into_iter().collect(),
        Some(_) => {
            check.fault("/config", "type", "expected an object");
            return BTreeMap::new();
        }
    };
    let own = config.keys().filter(|name| !COMMON_CONFIG.contains(&name.as_str()));
    fields(check, "/config", &descriptor.config, |name| config.contains_key(name), own);
    config
}

/// Required fields must be there, unknown ones must not.
fn fields<'n>(
    check: &mut Check,
    pointer: &str,
    specs: &[FieldSpec],
    present: impl Fn(&str) -> bool,
    names: impl Iterator<Item = &'n String>,
) {
    for spec in specs.iter().filter(|spec| spec.required && !present(&spec.name)) {
        check.fault(&format!("{pointer}/{}", spec.name), "required", spec.description.clone());
    }
    for name in names.filter(|name| !specs.iter().any(|spec| spec.name == **name)) {
        check.fault(&format!("{pointer}/{name}"), "unknown_field", "this provider has no such field");
    }
}

fn shown(connection: &Connection) -> Value {
    json!({
        "id": connection.id,
        "tenant_id": connection.tenant,
        "mode": connection.mode,
        "provider": connection.provider,
        "name": connection.name,
        "channel": connection.channel,
        "config": connection.config,
        "rate_per_s": connection.rate_per_s,
        "held": connection.held,
        "created_at": connection.created_at.rfc3339(),
    })
}

pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::operator(&state, &headers)?;
    let data: Vec<Value> = state
        .ports
        .directory
        .read(|snapshot| snapshot.connections().map(|entry| shown(&entry.access.connection)).collect());
    Ok(reply(200, &json!({ "data": data, "next_cursor": null, "has_more": false })))
}

fn find(state: &ApiState, headers: &HeaderMap, id: &str) -> Result<Arc<Connection>, Problem> {
    auth::operator(state, headers)?;
    let access = id.parse::<ConnectionId>().ok().and_then(|id| state.ports.directory.access(id));
    access.map(|access| access.connection).ok_or_else(|| Problem::not_found("connection"))
}

pub(crate) async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    Ok(reply(200, &shown(&*find(&state, &headers, &id)?)))
}

pub(crate) async fn delete(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let connection = find(&state, &headers, &id)?;
    state.ports.directory.delete_connection(connection.id).await.map_err(refused)?;
    Ok(http::StatusCode::NO_CONTENT.into_response())
}

pub(crate) async fn check(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let connection = find(&state, &headers, &id)?;
    let outcome =
        state.ports.gateway.check(connection.id).await.ok_or_else(|| Problem::not_found("connection"))?;
    let (ok, failure) = match outcome {
        Outcome::Accepted(_) => (true, None),
        Outcome::Rejected(failure) | Outcome::NotSent(failure) | Outcome::ServerError(failure) => {
            (false, Some(failure))
        }
        Outcome::Unknown(failure) | Outcome::AdapterFault(failure) => (false, Some(failure)),
        Outcome::Throttled { failure, .. } => (false, Some(failure)),
    };
    Ok(reply(200, &json!({ "id": connection.id, "ok": ok, "error": failure })))
}

pub(crate) async fn health(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let connection = find(&state, &headers, &id)?;
    let health =
        state.ports.gateway.health(connection.id).await.ok_or_else(|| Problem::not_found("connection"))?;
    Ok(reply(200, &json!(health)))
}

pub(crate) async fn hold(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    set_held(&state, &headers, &id, true).await
}

pub(crate) async fn release(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    set_held(&state, &headers, &id, false).await
}

async fn set_held(state: &ApiState, headers: &HeaderMap, id: &str, held: bool) -> Result<Response, Problem> {
    let connection = find(state, headers, id)?;
    state.ports.directory.set_held(connection.id, held).await.map_err(refused)?;
    let connection = find(state, headers, id)?;
    Ok(reply(200, &shown(&connection)))
}
