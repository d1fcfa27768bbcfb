//! The live supervision tree, and what one cascade waits for.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    http::HeaderMap,
    response::Response,
};
use hermes_domain::{UnixMillis, cascade::Cascade};
use hermes_ports::actor_tree::ActorView;
use serde_json::{Value, json};

use crate::{auth, messages::view, problem::Problem, request::reply, state::ApiState};

fn shown(actor: &ActorView) -> Value {
    json!({
        "id": actor.id,
        "kind": actor.kind,
        "parent": actor.parent,
        "state": actor.state,
        "mailbox": actor.mailbox,
        "restarts": actor.restarts,
        "started_at": UnixMillis(actor.started_at_ms).rfc3339(),
        "last_error": actor.last_error,
        "children": actor.children,
        "detail": actor.detail,
    })
}

pub(crate) async fn list(
    State(state): State<Arc<ApiState>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::operator(&state, &headers)?;
    let data: Vec<Value> = state.ports.actors.list().await.iter().map(shown).collect();
    Ok(reply(200, &json!({ "data": data, "next_cursor": null, "has_more": false })))
}

pub(crate) async fn read(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::operator(&state, &headers)?;
    let actor = state.ports.actors.get(&id).await.ok_or_else(|| Problem::not_found("running actor"))?;
    Ok(reply(200, &shown(&actor)))
}

pub(crate) async fn kill(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::operator(&state, &headers)?;
    let killed = state.ports.actors.kill(&id).await;
    if killed {
        Ok(reply(202, &json!({ "id": id, "killed": true })))
    } else {
        Err(Problem::not_found("running actor"))
    }
}

/// What a message waits for, until when, what happens next, why this provider.
pub(crate) async fn cascade(
    State(state): State<Arc<ApiState>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    auth::operator(&state, &headers)?;
    let id = id.parse().map_err(|_| Problem::not_found("message"))?;
    let stored = state.ports.store.load(id).await.map_err(|error| Problem::internal(&error))?;
    let stored = stored.ok_or_else(|| Problem::not_found("message"))?;
    let running = state.ports.actors.get(&format!("cascade/{id}")).await;
    let cascade = Cascade { envelope: stored.envelope.clone(), state: stored.state.clone() };
    let waiting = cascade.waiting_for();
    let used = stored.state.last_used(&stored.envelope);
    let body = json!({
        "message_id": id,
        "tenant_id": stored.envelope.tenant,
        "status": stored.state.status().as_str(),
        "revision": stored.revision.0,
        "in_memory": running.is_some(),
        "waiting_for": waiting.map(|waiting| json!({ "what": waiting.what, "until": waiting.until.rfc3339(), "then": waiting.then })),
        "plan": view::plan(&stored.envelope.plan),
        "why_this_provider": used.map(|(step, candidate)| {
            let place = step.candidates.iter().position(|one| one.connection == candidate.connection).unwrap_or(0) + 1;
            format!("{} was number {place} of {} in plan order with a free permit", candidate.name, step.candidates.len())
        }),
    });
    Ok(reply(200, &body))
}
