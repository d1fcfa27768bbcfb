//! Asking what became of a message, and calling one back.

use std::sync::Arc;

use axum::{
    extract::{Path, State},
    response::Response,
};
use http::{HeaderMap, StatusCode};
use serde_json::json;

use super::{fault, fault::Problem, message::Omnimessage};
use crate::{answer, clock, world::World};

fn find(world: &World, headers: &HeaderMap, id: &str) -> Result<Arc<Omnimessage>, Problem> {
    let account = world.messente.log_in(headers)?;
    let found = world.messente.messages.find(id);
    found
        .filter(|message| message.account.username == account.username)
        .ok_or_else(|| fault::not_found("No such message"))
}

/// `GET /v1/omnimessage/{id}/status`.
pub(super) async fn status(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match find(&world, &headers, &id) {
        Ok(message) => {
            let body = json!({
                "omnimessage_id": message.omnimessage_id,
                "to": message.to,
                "statuses": [message.result(clock::now())],
            });
            answer::json(StatusCode::OK, &body)
        }
        Err(problem) => problem.into_response(),
    }
}

/// `DELETE /v1/omnimessage/{id}`: only what is still waiting can be called back.
pub(super) async fn cancel(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Response {
    match find(&world, &headers, &id) {
        Ok(message) if message.cancel(clock::now()) => answer::json(StatusCode::ACCEPTED, &json!({})),
        Ok(_) => fault::not_found("The message has already been sent").into_response(),
        Err(problem) => problem.into_response(),
    }
}
