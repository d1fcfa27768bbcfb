//! `/receipts/{provider}/{connection}`: verify, make durable, then 2xx.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use bytes::Bytes;
use hermes_domain::{
    AttemptRef, ConnectionId,
    cascade::{Event, StepError},
    outcome::Receipt,
};
use hermes_ports::{
    StoreError,
    adapter::{Received, ReceivedEntry, WebhookRefusal},
    cascade_inbox::{DeliverError, Delivered},
    http::{Method, Webhook},
    kill_point,
    parked_body::{encode_receipt, encode_webhook},
    provider_gateway::ReceiveError,
    receipt_inbox::{Parked, ParkedKind},
};
use hermes_telemetry::names::{label, metric};
use tracing::{info, warn};

use crate::{
    problem::Problem,
    request::{self, BODY_MAX},
    state::ApiState,
};

pub(crate) async fn receive(
    State(state): State<Arc<ApiState>>,
    Path((provider, connection)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let unknown = || Problem::not_found("connection");
    let connection: ConnectionId = connection.parse().map_err(|_| unknown())?;
    let matches =
        state.ports.directory.access(connection).is_some_and(|access| access.connection.provider == provider);
    if !matches {
        return Err(unknown());
    }
    let reference = reference(request.uri().query());
    let webhook = webhook(&state, request).await?;
    match state.ports.gateway.receive(connection, webhook.clone()).await {
        Ok(Ok(received)) => apply_all(&state, connection, &provider, reference, received).await,
        Ok(Err(WebhookRefusal::BadSignature)) => {
            count(&provider, "bad_signature");
            Err(Problem::new(403, "forbidden", "the signature is missing or wrong"))
        }
        Ok(Err(WebhookRefusal::Malformed)) => {
            Err(Problem::new(400, "parameter_invalid", "this is not a receipt"))
        }
        Err(ReceiveError::UnknownConnection) => Err(unknown()),
        Err(error @ (ReceiveError::Adapter(_) | ReceiveError::Fetch)) => {
            warn!(provider.connection = %connection, error = %error, "receipt could not be verified, kept");
            park(&state, ParkedKind::Unverified, connection, String::new(), encode_webhook(&webhook)).await?;
            count(&provider, "unverified");
            Ok(StatusCode::ACCEPTED.into_response())
        }
    }
}

/// What the provider called, as it must be verified: the public address, never the `Host` header.
async fn webhook(state: &ApiState, request: Request) -> Result<Webhook, Problem> {
    let method = if request.method() == http::Method::GET { Method::Get } else { Method::Post };
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let url = format!("{}{path}", state.settings.public_url);
    let header = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers = request.headers().iter().filter_map(header).collect();
    let body = request::body(state, request, BODY_MAX).await?;
    Ok(Webhook { method, url, headers, body })
}

fn reference(query: Option<&str>) -> Option<AttemptRef> {
    let pairs = form_urlencoded::parse(query?.as_bytes());
    pairs.into_iter().find(|(name, _)| name == "ref").and_then(|(_, value)| value.parse().ok())
}

/// Applies each entry on its own; only then is the provider answered.
async fn apply_all(
    state: &ApiState,
    connection: ConnectionId,
    provider: &str,
    reference: Option<AttemptRef>,
    received: Received,
) -> Result<Response, Problem> {
    kill_point::pass("receipt.before");
    for entry in received.entries {
        match entry {
            ReceivedEntry::Receipt { reference: named, receipt } => {
                let named = named.as_deref().and_then(|named| named.parse().ok());
                let result = apply(state, connection, reference.or(named), receipt).await?;
                count(provider, result);
            }
            // Suppression lists are later work; an opt-out is not lost on the provider, which enforces it.
            ReceivedEntry::Inbound(inbound) => {
                info!(provider.connection = %connection, inbound.kind = ?inbound.kind, "inbound message");
            }
        }
    }
    kill_point::pass("receipt.after");
    Ok(match received.reply {
        Some((content_type, body)) => ([(header::CONTENT_TYPE, content_type)], body).into_response(),
        None => StatusCode::NO_CONTENT.into_response(),
    })
}

async fn apply(
    state: &ApiState,
    connection: ConnectionId,
    named: Option<AttemptRef>,
    receipt: Receipt,
) -> Result<&'static str, Problem> {
    let attempt = match (named, &receipt.provider_message_id) {
        (Some(attempt), _) => Some(attempt),
        (None, Some(id)) => state
            .ports
            .log
            .find_by_provider_id(connection, id)
            .await
            .map_err(|error| Problem::internal(&error))?,
        (None, None) => None,
    };
    let Some(AttemptRef { message, attempt }) = attempt else {
        return orphan(state, connection, named, &receipt).await;
    };
    let event = Event::Receipt { attempt, connection, receipt: receipt.clone() };
    match state.ports.inbox.deliver(message, event, None).await {
        Ok(Delivered::Applied) => Ok("applied"),
        Ok(Delivered::Ignored(StepError::Stale | StepError::Terminal)) => Ok("stale"),
        Ok(Delivered::Ignored(StepError::Quarantined)) => {
            let key = AttemptRef { message, attempt }.to_string();
            park(state, ParkedKind::Quarantined, connection, key, encode_receipt(&receipt)).await?;
            Ok("quarantined")
        }
        Err(DeliverError::Unknown(_)) => orphan(state, connection, named, &receipt).await,
        Err(DeliverError::Retry) => Err(Problem::overloaded("the message is busy")),
        Err(error @ DeliverError::Store(_)) => Err(Problem::internal(&error)),
    }
}

/// Kept until its message is known: receipts may come before our own write.
async fn orphan(
    state: &ApiState,
    connection: ConnectionId,
    named: Option<AttemptRef>,
    receipt: &Receipt,
) -> Result<&'static str, Problem> {
    let key = named.map(|named| named.to_string()).or_else(|| receipt.provider_message_id.clone());
    let Some(key) = key else { return Ok("unusable") };
    park(state, ParkedKind::Orphan, connection, key, encode_receipt(receipt)).await?;
    Ok("orphan")
}

async fn park(
    state: &ApiState,
    kind: ParkedKind,
    connection: ConnectionId,
    key: String,
    body: Bytes,
) -> Result<(), Problem> {
    let parked = Parked { kind, connection, key, body, received_at: state.ports.clock.now() };
    match state.ports.receipts.park(parked).await {
        Ok(_) => Ok(()),
        Err(StoreError::Full) => Err(Problem::overloaded("too many receipts wait for this connection")),
        Err(error) => Err(Problem::internal(&error)),
    }
}

fn count(provider: &str, result: &'static str) {
    metrics::counter!(metric::RECEIPTS_TOTAL, label::PROVIDER => provider.to_owned(), label::RESULT => result).increment(1);
}
