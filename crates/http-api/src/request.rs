//! What surrounds every request: its id, the limit on how many run, its body.

use std::sync::Arc;

use axum::{
    body::to_bytes,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use serde_json::Value;

use crate::{problem::Problem, state::ApiState};

/// Most bytes of a request's body.
pub(crate) const BODY_MAX: usize = 256 * 1024;
/// Most bytes of a message with attachments.
pub(crate) const ATTACHMENTS_BODY_MAX: usize = 10 * 1024 * 1024;

const REQUEST_ID: &str = "x-request-id";

/// Gives a request its id, sheds load, and renders problems.
pub(crate) async fn around(State(state): State<Arc<ApiState>>, request: Request, next: Next) -> Response {
    let id = request_id(&state, request.headers());
    let path = request.uri().path().to_owned();
    let response = match state.slots.try_acquire() {
        Ok(_slot) => next.run(request).await,
        Err(_) => Problem::overloaded("too many requests are running").into_response(),
    };
    let mut response = match response.extensions().get::<Problem>() {
        Some(problem) => {
            let (problem, headers) = (problem.clone(), response.headers());
            let mut rendered = problem.render(&id, &path);
            rendered.headers_mut().extend(headers.clone());
            rendered
        }
        None => response,
    };
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

fn request_id(state: &ApiState, headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok());
    let fit = |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
    given.filter(fit).map_or_else(|| state.ports.mint.request().to_string(), str::to_owned)
}

/// The body of a request, within `max` bytes and the time limit.
pub(crate) async fn body(state: &ApiState, request: Request, max: usize) -> Result<Bytes, Problem> {
    let too_large = || Problem::new(413, "payload_too_large", format!("the body is larger than {max} bytes"));
    let read = to_bytes(request.into_body(), max);
    match tokio::time::timeout(state.settings.request_timeout, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(too_large()),
        Err(_) => Err(Problem::new(408, "header_invalid", "the body did not arrive in time")),
    }
}

/// A JSON body.
pub(crate) async fn json(state: &ApiState, request: Request, max: usize) -> Result<Value, Problem> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|value| value.split(';').next()).map(str::trim);
    if !essence.is_some_and(|essence| essence.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(415, "unsupported_media_type", "send application/json"));
    }
    parse(&body(state, request, max).await?)
}

/// JSON from bytes; nesting is bounded by the parser.
pub(crate) fn parse(bytes: &Bytes) -> Result<Value, Problem> {
    serde_json::from_slice(bytes).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        Problem::new(400, "malformed_json", format!("the body is not JSON ({place})")).layer("schema")
    })
}

/// A JSON reply.
pub(crate) fn reply(status: u16, body: &Value) -> Response {
    let status = http::StatusCode::from_u16(status).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}
