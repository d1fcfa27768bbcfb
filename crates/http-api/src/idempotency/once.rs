//! Requests that make something else than messages, once per key.

use std::error::Error;

use axum::{extract::Request, response::Response};
use hermes_domain::{TenantId, message::Mode, tenant::TenantScope};
use hermes_ports::idempotency::{Claim, ClaimResult, StoredReply};
use http::{StatusCode, header, request::Parts};
use serde_json::Value;
use tracing::warn;

use super::{Fingerprint, IdempotencyKey, KEPT_MS, REPLAYED, find};
use crate::{api::Api, body, problem::Problem, reply::Reply, schema};

/// The scope of operators' keys.
pub(crate) const OPERATOR: TenantScope = TenantScope::new(TenantId::from_u128(0), Mode::Live);

/// A request with an idempotency key.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    pub(crate) scope: TenantScope,
    pub(crate) key: IdempotencyKey,
    pub(crate) fingerprint: Fingerprint,
}

impl Keyed {
    /// `None` when the request names no key.
    pub(crate) fn of(
        scope: TenantScope,
        parts: &Parts,
        fingerprint: impl FnOnce() -> Fingerprint,
    ) -> Result<Option<Self>, Problem> {
        let key = IdempotencyKey::of(&parts.headers)?;
        Ok(key.map(|key| Self { scope, key, fingerprint: fingerprint() }))
    }

    /// Of a request with a JSON body.
    pub(crate) fn of_json(scope: TenantScope, parts: &Parts, body: &Value) -> Result<Option<Self>, Problem> {
        Self::of(scope, parts, || super::fingerprint(&parts.method, parts.uri.path(), body))
    }
}

/// Reads a request whose path says everything: its body is empty or an empty object.
pub(crate) async fn bodiless(
    api: &Api,
    scope: TenantScope,
    request: Request,
) -> Result<Option<Keyed>, Problem> {
    let incoming = body::optional_json(api, request).await?;
    let keyed = Keyed::of_json(scope, &incoming.parts, &incoming.value)?;
    schema::root(incoming.value, |_, _| Some(()))?;
    Ok(keyed)
}

/// Runs `work`, unless the key has led to a reply already: then that reply is given again.
pub(crate) async fn once(
    api: &Api,
    keyed: Option<Keyed>,
    work: impl Future<Output = Result<Reply, Problem>>,
) -> Result<Response, Problem> {
    let Some(keyed) = keyed else { return work.await.map(Reply::into_response) };
    let _running = api.in_progress.start(keyed.scope, keyed.key.as_str())?;
    if let Some(claim) = find(api, &keyed).await? {
        return Ok(replay(claim));
    }
    let reply = work.await?;
    let TenantScope { tenant, mode } = keyed.scope;
    let claim = Claim {
        tenant,
        mode,
        key: keyed.key.as_str().to_owned(),
        fingerprint: keyed.fingerprint,
        result: reply.kept().into(),
        expires_at: api.now().plus_ms(KEPT_MS),
    };
    if let Err(failure) = api.ports.idempotency.save(claim).await {
        // The work is done and its reply is true; only a repetition would not be recognised.
        warn!(error = &failure as &dyn Error, "could not keep the reply of an idempotent request");
    }
    Ok(reply.into_response())
}

fn replay(claim: Claim) -> Response {
    let StoredReply { status, body, location, etag } = match claim.result {
        ClaimResult::Reply(reply) => *reply,
        // The fingerprint holds the path, so a message's claim cannot be met here.
        ClaimResult::Message(id) => Reply::ok(&serde_json::json!({ "id": id })).kept(),
    };
    let mut response = crate::reply::json_text(StatusCode::from_u16(status).unwrap_or(StatusCode::OK), body);
    let kept = [(header::LOCATION, location), (header::ETAG, etag)];
    let headers = kept.into_iter().filter_map(|(name, value)| Some((name, value?.try_into().ok()?)));
    response.headers_mut().extend(headers);
    response.headers_mut().insert(REPLAYED.0, REPLAYED.1);
    response
}
