//! `POST /v1/messages` and its rehearsal.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, header},
    response::Response,
};
use hermes_domain::{
    MessageId, UnixMillis,
    message::{Envelope, Warning},
    plan::Plan,
};
use hermes_ports::{
    idempotency::{Claim, ClaimResult},
    kill_point,
    message_intake::SubmitError,
};
use hermes_telemetry::names::metric;
use serde_json::{Value, json};

use super::{
    parse::{self, SendRequest},
    plan, view,
};
use crate::{
    auth::{self, Caller},
    check::Check,
    idempotency::{self, Begun},
    problem::Problem,
    rate,
    request::{self, ATTACHMENTS_BODY_MAX, BODY_MAX, reply},
    state::ApiState,
};

/// `send_at` may lie this far ahead, in milliseconds: 90 days.
const SEND_AT_MAX_MS: u64 = 90 * 86_400_000;
/// `expires_at` may lie this far after the start, in milliseconds: 90 days.
const EXPIRES_MAX_MS: u64 = 90 * 86_400_000;

pub(crate) async fn send(State(state): State<Arc<ApiState>>, request: Request) -> Result<Response, Problem> {
    let started = Instant::now();
    let caller = auth::sender(&state, request.headers())?;
    rate::admit(&state, caller.tenant)?;
    let headers = request.headers().clone();
    let body = request::json(&state, request, ATTACHMENTS_BODY_MAX).await?;
    let begun = idempotency::begin(&state, caller, &headers, "/v1/messages", &body).await?;
    if let Begun::Repeated(ClaimResult::Message(id)) = begun {
        return replay(&state, id).await;
    }
    let envelope = Arc::new(accept(&state, caller, &body, &headers)?);
    let claim = match &begun {
        Begun::First(running) => Some(running.claim(ClaimResult::Message(envelope.id), latest(&envelope))),
        Begun::Unkeyed | Begun::Repeated(_) => None,
    };
    submit(&state, &envelope, claim).await?;
    kill_point::pass("accept.after");
    metrics::histogram!(metric::ACCEPT_SECONDS).record(started.elapsed().as_secs_f64());
    Ok(accepted(&envelope))
}

pub(crate) async fn validate(
    State(state): State<Arc<ApiState>>,
    request: Request,
) -> Result<Response, Problem> {
    let caller = auth::sender(&state, request.headers())?;
    rate::admit(&state, caller.tenant)?;
    let headers = request.headers().clone();
    let body = request::json(&state, request, ATTACHMENTS_BODY_MAX).await?;
    let envelope = accept(&state, caller, &body, &headers)?;
    let plan = view::plan(&envelope.plan);
    let mut response = reply(200, &json!({ "valid": true, "plan": plan, "warnings": envelope.warnings }));
    rate::tell(response.headers_mut());
    Ok(response)
}

const fn latest(envelope: &Envelope) -> UnixMillis {
    match envelope.send_at {
        Some(send_at) => send_at,
        None => envelope.created_at,
    }
}

async fn submit(state: &ApiState, envelope: &Arc<Envelope>, claim: Option<Claim>) -> Result<(), Problem> {
    state.ports.intake.submit(Arc::clone(envelope), claim).await.map_err(|error| match error {
        SubmitError::Overloaded { retry_after_s } => {
            Problem::overloaded("too many messages are on their way").retry_after(retry_after_s.into())
        }
        SubmitError::ClaimTaken => {
            Problem::new(409, "idempotency_in_progress", "another request holds this key")
        }
        SubmitError::Store(_) => Problem::internal(&error),
    })
}

/// The stored reply of the first request, built from what it stored.
async fn replay(state: &ApiState, id: MessageId) -> Result<Response, Problem> {
    let stored = state.ports.store.load(id).await.map_err(|error| Problem::internal(&error))?;
    let stored = stored.ok_or_else(|| Problem::not_found("message"))?;
    let mut response = accepted(&stored.envelope);
    response.headers_mut().insert("idempotent-replayed", HeaderValue::from_static("true"));
    Ok(response)
}

/// From a body to an envelope: schema, recipient, times, routing.
fn accept(state: &ApiState, caller: Caller, body: &Value, headers: &HeaderMap) -> Result<Envelope, Problem> {
    let request = parse::send_request(body)?;
    let attachments = request.content.email.as_ref().is_some_and(|email| !email.attachments.is_empty());
    let length =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if !attachments && length.is_some_and(|length| length > BODY_MAX) {
        let detail = format!("the body is larger than {BODY_MAX} bytes and has no attachments");
        return Err(Problem::new(413, "payload_too_large", detail));
    }
    let now = state.ports.clock.now();
    let (send_at, expires_at) = times(state, &request, now)?;
    let (plan, warnings) = plan::resolve(state, caller, &request)?;
    Ok(envelope(state, caller, request, plan, warnings, (send_at, expires_at, now), headers))
}

fn envelope(
    state: &ApiState,
    caller: Caller,
    request: SendRequest,
    plan: Plan,
    warnings: Vec<Warning>,
    (send_at, expires_at, now): (Option<UnixMillis>, UnixMillis, UnixMillis),
    headers: &HeaderMap,
) -> Envelope {
    let traceparent = headers.get("traceparent").and_then(|value| value.to_str().ok());
    Envelope {
        v: Envelope::VERSION,
        id: state.ports.mint.message(),
        tenant: caller.tenant,
        mode: caller.mode,
        to: request.to,
        content: request.content,
        plan,
        sender: request.sender,
        lane: request.lane,
        send_at,
        expires_at,
        created_at: now,
        tags: request.tags,
        metadata: request.metadata,
        warnings,
        traceparent: traceparent.filter(|value| value.len() <= 128).map(str::to_owned),
    }
}

fn times(
    state: &ApiState,
    request: &SendRequest,
    now: UnixMillis,
) -> Result<(Option<UnixMillis>, UnixMillis), Problem> {
    let mut check = Check::default();
    let send_at = request.send_at.filter(|send_at| *send_at > now);
    if send_at.is_some_and(|send_at| send_at.since(now) > SEND_AT_MAX_MS) {
        check.fault("/send_at", "range", "expected a time within 90 days");
    }
    let start = send_at.unwrap_or(now);
    let default = start.plus_ms(u64::try_from(state.settings.default_expiry.as_millis()).unwrap_or(u64::MAX));
    let expires_at = request.expires_at.unwrap_or(default);
    if expires_at <= start || expires_at.since(start) > EXPIRES_MAX_MS {
        check.fault("/expires_at", "range", "expected a time after the start, within 90 days of it");
    }
    check.finish().map(|()| (send_at, expires_at))
}

fn accepted(envelope: &Envelope) -> Response {
    let body = json!({
        "id": envelope.id,
        "mode": envelope.mode,
        "status": "accepted",
        "created_at": envelope.created_at.rfc3339(),
        "send_at": envelope.send_at.map(UnixMillis::rfc3339),
        "expires_at": envelope.expires_at.rfc3339(),
        "lane": envelope.lane,
        "plan": view::plan(&envelope.plan),
        "tags": envelope.tags,
        "metadata": envelope.metadata,
        "warnings": envelope.warnings,
    });
    let mut response = reply(202, &body);
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/messages/{}", envelope.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    rate::tell(response.headers_mut());
    response
}
