//! Whether the service is alive, ready, and what it can do for a tenant.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

use crate::{auth, problem::Problem, rate, request::reply, state::ApiState};

pub(crate) async fn index() -> Html<&'static str> {
    Html("<!doctype html><title>Hermes</title><h1>Hermes</h1><p>The API lives under <code>/v1</code>.</p>")
}

pub(crate) async fn alive() -> Response {
    reply(200, &json!({ "status": "alive" }))
}

/// Ready: what was open is back in memory, and the store answers.
pub(crate) async fn ready(State(state): State<Arc<ApiState>>) -> Result<Response, Problem> {
    let answers = (state.settings.ready)() && state.ports.store.ping().await.is_ok();
    if answers {
        Ok(reply(200, &json!({ "status": "ready" })))
    } else {
        Err(Problem::overloaded("not ready"))
    }
}

pub(crate) async fn metrics(State(state): State<Arc<ApiState>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], (state.settings.metrics)()).into_response()
}

/// Channels and connections that serve the tenant now.
pub(crate) async fn status(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let caller = auth::tenant(&state, &headers)?;
    rate::admit(&state, caller.tenant)?;
    let connections: Vec<_> = state.ports.directory.read(|snapshot| {
        let mine = snapshot.serving(caller.tenant, caller.mode);
        mine.map(|connection| (connection.id, connection.name.clone(), connection.channel)).collect()
    });
    let mut providers = Vec::new();
    for (id, name, channel) in &connections {
        let health = state.ports.gateway.health(*id).await;
        let breaker = health.as_ref().map(|health| health.breaker);
        providers.push(json!({ "name": name, "channel": channel, "breaker": breaker, "held": health.map(|health| health.held) }));
    }
    let mut channels: Vec<_> = connections.iter().map(|(_, _, channel)| channel.as_str()).collect();
    channels.sort_unstable();
    channels.dedup();
    let mut response =
        reply(200, &json!({ "mode": caller.mode, "channels": channels, "providers": providers }));
    rate::tell(response.headers_mut());
    Ok(response)
}
