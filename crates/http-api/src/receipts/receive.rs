//! `POST|GET /receipts/{provider}/{connection}`.
//!
//! Verified first, then made durable, then answered. What cannot be verified now is kept raw.

use std::sync::Arc;

use axum::{
    extract::{Path, Request, State},
    response::{IntoResponse as _, Response},
};
use hermes_domain::{AttemptRef, ConnectionId};
use hermes_ports::{
    StoreError,
    adapter::{Received, WebhookRefusal},
    http::{Method, Webhook},
    kill_point,
    parked_body::encode_webhook,
    provider_gateway::ReceiveError,
    receipt_inbox::{Parked, ParkedKind},
};
use hermes_telemetry::names::{label, metric};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use tracing::warn;

use super::{apply, refusal::Refusal};
use crate::{api::Api, body, problem::Problem};

pub(super) async fn receive(
    State(api): State<Arc<Api>>,
    Path((provider, connection)): Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    let connection = known_connection(&api, &provider, &connection)?;
    let (parts, request_body) = request.into_parts();
    let body = body::read(&api, &parts.headers, request_body, body::CALLBACK_MAX).await?;
    let method = if parts.method == http::Method::POST { Method::Post } else { Method::Get };
    let (url, headers, received_at) =
        (public_url(&api, &parts.uri), plain_headers(&parts.headers), api.now());
    let webhook = Webhook { method, url, headers, body, received_at };
    // Our own reference, in the address that we gave to the provider: covered by its signature or by the
    // check of connection and provider id that follows.
    let reference = reference_of(&parts.uri);
    let received = match api.ports.gateway.receive(connection, webhook.clone()).await {
        Ok(Ok(received)) => received,
        Ok(Err(WebhookRefusal::BadSignature)) => return Err(refuse(&provider, Refusal::BadSignature)),
        Ok(Err(WebhookRefusal::Malformed)) => return Err(refuse(&provider, Refusal::Malformed)),
        Ok(Err(WebhookRefusal::SendAgain)) => return Err(refuse(&provider, Refusal::Later)),
        Err(ReceiveError::UnknownConnection) => return Err(refuse(&provider, Refusal::UnknownConnection)),
        Err(ReceiveError::Adapter(_) | ReceiveError::Fetch) => {
            return keep_unverified(&api, &provider, connection, &webhook).await;
        }
    };
    let Received { entries, unreadable, reply } = received;
    note_unreadable(connection, unreadable, |label| count(&provider, label));
    for entry in entries {
        let result = apply::apply(&api, connection, reference, &webhook.body, entry).await;
        let result = result.map_err(|refusal| refuse(&provider, refusal))?;
        count(&provider, result.label());
    }
    kill_point::pass("receipt.after");
    Ok(answer(reply))
}

/// The connection that a path names; the provider in it must be the connection's.
fn known_connection(api: &Api, provider: &str, connection: &str) -> Result<ConnectionId, Problem> {
    let id = connection.parse().map_err(|_| Problem::not_found())?;
    let fits = api.directory().access(id).is_some_and(|access| access.connection.provider == provider);
    if fits { Ok(id) } else { Err(Problem::not_found()) }
}

/// The URL as the provider knows it: never from the `Host` header, which anybody can choose.
fn public_url(api: &Api, uri: &Uri) -> String {
    let path_and_query = uri.path_and_query().map_or("/", |path_and_query| path_and_query.as_str());
    format!("{}{path_and_query}", api.settings.public_base())
}

fn plain_headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |(name, value): (&http::HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    headers.iter().filter_map(text).collect()
}

pub(super) fn reference_of(uri: &Uri) -> Option<AttemptRef> {
    let query = uri.query()?;
    let (_, reference) = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "ref")?;
    reference.parse().ok()
}

async fn keep_unverified(
    api: &Api,
    provider: &str,
    connection: ConnectionId,
    webhook: &Webhook,
) -> Result<Response, Problem> {
    let parked = Parked {
        kind: ParkedKind::Unverified,
        connection,
        key: String::new(),
        body: encode_webhook(webhook),
        received_at: api.now(),
    };
    match api.ports.receipts.park(parked).await {
        Ok(_) => {
            count(provider, "unverified");
            warn!(provider.connection = %connection, "a receipt could not be verified and is kept");
            kill_point::pass("receipt.after");
            Ok(answer(None))
        }
        Err(StoreError::Full) => Err(refuse(provider, Refusal::Later)),
        Err(failure) => Err(failure.into()),
    }
}

/// 200 even without a body: some providers take nothing else for an answer.
fn answer(reply: Option<(String, String)>) -> Response {
    let Some((content_type, body)) = reply.filter(|(_, body)| !body.is_empty()) else {
        return StatusCode::OK.into_response();
    };
    let content_type = HeaderValue::try_from(content_type)
        .unwrap_or_else(|_| HeaderValue::from_static("text/plain; charset=utf-8"));
    ([(header::CONTENT_TYPE, content_type)], body).into_response()
}

fn refuse(provider: &str, refusal: Refusal) -> Problem {
    count(provider, refusal.label());
    refusal.into()
}

/// Entries beyond our limits are told, and cost nothing to the others of their callback.
pub(super) fn note_unreadable(connection: ConnectionId, entries: usize, count: impl Fn(&'static str)) {
    if entries > 0 {
        warn!(provider.connection = %connection, entries, "entries of a callback are beyond the limits and are left out");
        (0..entries).for_each(|_| count("unreadable"));
    }
}

/// Providers are those of connections that exist, hence few.
pub(super) fn count(provider: &str, result: &'static str) {
    metrics::counter!(metric::RECEIPTS_TOTAL, label::PROVIDER => provider.to_owned(), label::RESULT => result)
        .increment(1);
}
