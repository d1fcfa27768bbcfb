//! Messages in a JSON body: taken while their sender waits.

use std::error::Error;

use axum::{extract::Request, response::Response};
use hermes_domain::{
    BatchId,
    batch::{Batch, BatchCounts, BatchItem as StoredItem, BatchState, ItemOutcome},
    tenant::TenantScope,
};
use hermes_ports::idempotency::{Claim, ClaimResult, StoredReply};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tracing::error;

use super::{
    PATH,
    create::{BatchItem, BatchReply},
    new_batch, problem_document,
    settling::count,
};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Fingerprint, IdempotencyKey, KEPT_MS, Keyed, fingerprint},
    messages::{Acceptance, Accepted, accept, trace},
    problem::Problem,
    reply,
    request_id::RequestId,
    schema::{self, list},
};

/// Most messages of a body.
pub(super) const MESSAGES_MAX: usize = 1_000;

pub(super) async fn take_all(
    api: &Api,
    caller: &Caller,
    request_id: &RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let incoming = body::json(api, request, body::BATCH_MAX).await?;
    let key = IdempotencyKey::of(&incoming.parts.headers)?;
    let trace = trace(&incoming.parts.headers);
    let whole = key.as_ref().map(|_| fingerprint(&Method::POST, PATH, &incoming.value));
    let messages = schema::root(incoming.value, |object, faults| {
        object.required("messages", faults, list(1..=MESSAGES_MAX, |message, _| Some(message)))
    })?;
    // All at once, so that they share the store's commits.
    let items = messages.into_iter().enumerate().map(|(index, body)| {
        let keyed = key.as_ref().map(|key| Keyed {
            scope: caller.scope(),
            key: IdempotencyKey::item(key.as_str(), index),
            fingerprint: fingerprint(&Method::POST, PATH, &body),
        });
        async move { (index, accept(api, Acceptance { caller, body, keyed, trace }).await) }
    });
    let results = futures::future::join_all(items).await;
    let mut batch = new_batch(api, caller.scope(), BatchState::Completed, request_id.as_str());
    let mut kept = Vec::with_capacity(results.len());
    let mut data = Vec::with_capacity(results.len());
    for (index, result) in results {
        let (shown, outcome) = item(index, result, request_id);
        batch.counts.count(&outcome);
        count(outcome.as_str());
        kept.push(StoredItem { index: u32::try_from(index).unwrap_or(u32::MAX), outcome });
        data.push(shown);
    }
    batch.counts.total = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let counts = batch.counts;
    let id = record(api, batch, kept, key.zip(whole)).await;
    let BatchCounts { total, accepted, refused, .. } = counts;
    let (id, state) = (id.map(|id| id.to_string()), BatchState::Completed.as_str());
    Ok(reply::json(StatusCode::ACCEPTED, &BatchReply { id, state, total, data, accepted, refused }))
}

fn item(index: usize, result: Result<Accepted, Problem>, request_id: &RequestId) -> (BatchItem, ItemOutcome) {
    match result {
        Ok(Accepted { reply, message, .. }) => {
            let (id, status) = (Some(reply.id.clone()), StatusCode::ACCEPTED.as_u16());
            let shown = BatchItem { index, status, id, message: Some(reply), problem: None };
            (shown, ItemOutcome::Accepted(message))
        }
        Err(problem) => {
            let document = problem_document(&problem, request_id.as_str());
            let outcome = ItemOutcome::Refused(document.to_string());
            let status = problem.code.status().as_u16();
            (BatchItem { index, status, id: None, message: None, problem: Some(document) }, outcome)
        }
    }
}

/// Keeps the batch under the id that the same request got before, if it did. Its messages are durable: a failure here
/// must not look as if they were not.
async fn record(
    api: &Api,
    mut batch: Batch,
    items: Vec<StoredItem>,
    keyed: Option<(IdempotencyKey, Fingerprint)>,
) -> Option<BatchId> {
    let kept = async {
        let mut claim = None;
        if let Some((key, fingerprint)) = keyed {
            let TenantScope { tenant, mode } = batch.scope;
            batch.key = key.as_str().to_owned();
            match api.ports.idempotency.find(tenant, mode, key.as_str(), api.now()).await? {
                Some(earlier) if earlier.fingerprint == fingerprint => {
                    batch.id = batch_of(&earlier).unwrap_or(batch.id);
                }
                Some(_) => {} // Another request's: each item says so itself, where its content is another.
                None => claim = Some(batch_claim(&batch, fingerprint)),
            }
        }
        let id = batch.id;
        api.ports.batches.record(batch, items, claim).await.map(|()| id)
    };
    match kept.await {
        Ok(id) => Some(id),
        Err(failure) => {
            error!(error = &failure as &dyn Error, "the record of a batch could not be kept");
            None
        }
    }
}

/// Takes the key of the request that made `batch`.
pub(super) fn batch_claim(batch: &Batch, fingerprint: Fingerprint) -> Claim {
    let TenantScope { tenant, mode } = batch.scope;
    let body = json!({ "id": batch.id }).to_string();
    Claim {
        tenant,
        mode,
        key: batch.key.clone(),
        fingerprint,
        result: StoredReply { status: StatusCode::ACCEPTED.as_u16(), body, location: None, etag: None }
            .into(),
        expires_at: batch.updated_at.plus_ms(KEPT_MS),
    }
}

/// The batch that a claim of [`batch_claim`] led to.
pub(super) fn batch_of(claim: &Claim) -> Option<BatchId> {
    let ClaimResult::Reply(reply) = &claim.result else { return None };
    serde_json::from_str::<Value>(&reply.body).ok()?.get("id")?.as_str()?.parse().ok()
}
