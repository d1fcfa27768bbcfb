//! Adapter versions: uploaded, validated, activated, kept over restarts.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::HeaderMap,
    response::Response,
};
use bytes::Bytes;
use hermes_domain::cascade::AdapterVersion;
use hermes_ports::{
    Registry, StoreError,
    adapter::{AdapterHost, AdapterRejected},
    registry::{Record, RecordKind},
};
use serde_json::json;
use tracing::{info, warn};

use crate::{
    auth,
    check::Check,
    problem::Problem,
    request::{self, BODY_MAX, reply},
    state::ApiState,
};

/// Most bytes of an uploaded component.
const COMPONENT_MAX: usize = 8 * 1024 * 1024;

/// Installs what was uploaded before and activates what was last chosen. What is refused now (a newer
/// engine) stays stored and is skipped.
///
/// # Errors
/// When the registry cannot be read.
pub async fn restore(registry: &Arc<dyn Registry>, host: &Arc<dyn AdapterHost>) -> Result<(), StoreError> {
    for record in registry.all(RecordKind::AdapterComponent).await? {
        let name = record.id.split('@').next().unwrap_or_default().to_owned();
        if let Err(error) = install(host, name, record.body).await {
            warn!(adapter.id = record.id, error = %error.detail, "a stored adapter was refused");
        }
    }
    for record in registry.all(RecordKind::AdapterActive).await? {
        let version = std::str::from_utf8(&record.body).ok().and_then(|text| text.parse().ok());
        let activated = version.map(|version: AdapterVersion| host.activate(&record.id, version));
        if !matches!(activated, Some(Ok(_))) {
            warn!(
                adapter.name = record.id,
                "the chosen adapter version is not there; the one of this binary stays"
            );
        }
    }
    Ok(())
}

fn rejected(error: &AdapterRejected) -> Problem {
    let code =
        if matches!(error, AdapterRejected::UnknownVersion(_)) { "not_found" } else { "adapter_invalid" };
    Problem::new(if code == "not_found" { 404 } else { 422 }, code, error.to_string())
}

async fn install(
    host: &Arc<dyn AdapterHost>,
    name: String,
    component: Bytes,
) -> Result<hermes_ports::adapter::AdapterInfo, Problem> {
    let host = Arc::clone(host);
    // Compiling takes a good part of a second.
    let installed = tokio::task::spawn_blocking(move || host.install(&name, &component)).await;
    installed.map_err(|error| Problem::internal(&error))?.map_err(|error| rejected(&error))
}

pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::operator(&state, &headers)?;
    Ok(reply(200, &json!({ "data": state.ports.adapters.list(), "next_cursor": null, "has_more": false })))
}

pub(crate) async fn upload(
    State(state): State<Arc<ApiState>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    auth::operator(&state, request.headers())?;
    let component = request::body(&state, request, COMPONENT_MAX).await?;
    let info = install(&state.ports.adapters, name, component.clone()).await?;
    let id = format!("{}@{}", info.name, info.version);
    let record = Record { kind: RecordKind::AdapterComponent, id, body: component, secret: None, version: 0 };
    state.ports.registry.put(record, None).await.map_err(|error| Problem::internal(&error))?;
    info!(adapter.name = info.name, adapter.version = %info.version, "adapter uploaded");
    Ok(reply(201, &json!(info)))
}

pub(crate) async fn activate(
    State(state): State<Arc<ApiState>>,
    Path(name): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    auth::operator(&state, request.headers())?;
    let body = request::json(&state, request, BODY_MAX).await?;
    let mut check = Check::default();
    let version = check.object(&body, "", &["version"]).and_then(|map| check.text(map, "", "version", 16));
    let version = version.and_then(|version| version.parse::<AdapterVersion>().ok());
    if version.is_none() {
        check.fault("/version", "format", "expected the version that the upload returned");
    }
    check.finish()?;
    let version = version.ok_or_else(|| Problem::schema(Vec::new()))?;
    let info = state.ports.adapters.activate(&name, version).map_err(|error| rejected(&error))?;
    let body = Bytes::from(version.to_string());
    let record = Record { kind: RecordKind::AdapterActive, id: name, body, secret: None, version: 0 };
    state.ports.registry.put(record, None).await.map_err(|error| Problem::internal(&error))?;
    info!(adapter.name = info.name, adapter.version = %info.version, "adapter activated");
    Ok(reply(200, &json!(info)))
}
