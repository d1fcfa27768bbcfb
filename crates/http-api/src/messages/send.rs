//! `POST /v1/messages`.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    response::Response,
};
use hermes_telemetry::{TraceContext, names::metric};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::{Acceptance, Accepted, Wanted, accept};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Keyed, REPLAYED},
    problem::Problem,
    reply,
};

pub(super) async fn send(
    State(api): State<Arc<Api>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Problem> {
    let started = Instant::now();
    let (parts, value) = message_body(&api, request).await?;
    let keyed = Keyed::of_json(caller.scope(), &parts, &value)?;
    let trace = trace(&parts.headers);
    let accepted =
        accept(&api, Acceptance { caller: &caller, wanted: Wanted::Request(value), keyed, trace }).await?;
    metrics::histogram!(metric::ACCEPT_SECONDS).record(started.elapsed());
    Ok(answer(&accepted))
}

/// The body of a message: 10 MiB with attachments, 256 KiB without.
pub(super) async fn message_body(
    api: &Api,
    request: Request,
) -> Result<(http::request::Parts, Value), Problem> {
    let incoming = body::json(api, request, body::ATTACHMENTS_MAX).await?;
    if incoming.bytes > body::ORDINARY_MAX && !has_attachments(&incoming.value) {
        return Err(body::too_large(body::ORDINARY_MAX));
    }
    Ok((incoming.parts, incoming.value))
}

fn has_attachments(value: &Value) -> bool {
    let attachments = value.pointer("/content/email/attachments").and_then(Value::as_array);
    attachments.is_some_and(|list| !list.is_empty())
}

/// The trace that a request belongs to; an unreadable one is as good as none.
pub(crate) fn trace(headers: &HeaderMap) -> Option<TraceContext> {
    headers.get("traceparent")?.to_str().ok()?.parse().ok()
}

fn answer(accepted: &Accepted) -> Response {
    let mut response = reply::json(StatusCode::ACCEPTED, &accepted.reply);
    let location = format!("/v1/messages/{}", accepted.reply.id);
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    if accepted.replayed {
        response.headers_mut().insert(REPLAYED.0, REPLAYED.1);
    }
    response
}
