//! Messages in a JSON body: taken while their sender waits.
//!
//! The key of the request is taken before its first message is, with the id that the batch will have. So whatever comes
//! in between, another body finds the key taken, and the same one goes on: its messages are known by keys of their own.

use std::error::Error;

use axum::{extract::Request, response::Response};
use hermes_domain::{
    BatchId, UnixMillis,
    batch::{Batch, BatchItem as StoredItem, BatchState, ItemOutcome},
};
use hermes_ports::StoreError;
use http::{Method, StatusCode};
use serde_json::Value;
use tracing::error;

use super::{
    PATH,
    claim::{batch_claim, batch_of},
    create::{BatchItem, BatchReply, answer},
    new_batch, problem_document, replay,
    settling::count,
};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{IdempotencyKey, KEPT_MS, Keyed, find, fingerprint, in_progress},
    messages::{AHEAD_MS_MAX, Acceptance, Accepted, Wanted, accept, check_tenant, trace},
    problem::Problem,
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
    check_tenant(caller)?;
    let incoming = body::json(api, request, body::BATCH_MAX).await?;
    let keyed = Keyed::of_json(caller.scope(), &incoming.parts, &incoming.value)?;
    let trace = trace(&incoming.parts.headers);
    let messages = schema::root(incoming.value, |object, faults| {
        object.required("messages", faults, list(1..=MESSAGES_MAX, |message, _| Some(message)))
    })?;
    let mut batch = new_batch(api, caller.scope(), BatchState::Completed, request_id.as_str());
    let _running = match &keyed {
        Some(keyed) => {
            let running = api.in_progress.start(keyed.scope, keyed.key.as_str())?;
            keyed.key.as_str().clone_into(&mut batch.key);
            match take_key(api, keyed, &batch, kept_until(&messages, api.now())).await? {
                Beginning::Open(id) => batch.id = id,
                Beginning::Answered(reply) => return Ok(reply),
            }
            Some(running)
        }
        None => None,
    };
    // All at once, so that they share the store's commits.
    let items = messages.into_iter().enumerate().map(|(index, body)| {
        let keyed = keyed.as_ref().map(|keyed| Keyed {
            scope: keyed.scope,
            key: IdempotencyKey::item(keyed.key.as_str(), index),
            fingerprint: fingerprint(&Method::POST, PATH, &body),
        });
        let wanted = Wanted::Request(body);
        async move { accept(api, Acceptance { caller, wanted, keyed, trace }).await }
    });
    let results = futures::future::join_all(items).await;
    Ok(finish(api, batch, results).await)
}

/// What a key leads to.
enum Beginning {
    /// The batch is to be taken, under this id.
    Open(BatchId),
    /// It was: the reply.
    Answered(Response),
}

async fn take_key(api: &Api, keyed: &Keyed, batch: &Batch, until: UnixMillis) -> Result<Beginning, Problem> {
    if let Some(claim) = find(api, keyed).await? {
        let id = batch_of(&claim).unwrap_or(batch.id);
        let earlier = replay::earlier(api, keyed.scope, id).await?;
        return Ok(earlier.map_or(Beginning::Open(id), Beginning::Answered));
    }
    match api.ports.idempotency.save(batch_claim(batch, keyed.fingerprint, until)).await {
        Ok(()) => Ok(Beginning::Open(batch.id)),
        // Another process has taken it since.
        Err(StoreError::ClaimTaken) => Err(in_progress()),
        Err(failure) => Err(failure.into()),
    }
}

/// Until when the batch's key is kept: as long as those of its messages.
fn kept_until(messages: &[Value], now: UnixMillis) -> UnixMillis {
    let send_at = |message: &Value| UnixMillis::parse_rfc3339(message.get("send_at")?.as_str()?);
    let last = messages.iter().filter_map(send_at).max().unwrap_or(now);
    last.clamp(now, now.plus_ms(AHEAD_MS_MAX)).plus_ms(KEPT_MS)
}

async fn finish(api: &Api, mut batch: Batch, results: Vec<Result<Accepted, Problem>>) -> Response {
    let mut kept = Vec::with_capacity(results.len());
    let mut data = Vec::with_capacity(results.len());
    for (index, result) in results.into_iter().enumerate() {
        let (shown, outcome) = item(index, result, &batch.request_id);
        batch.counts.count(&outcome);
        count(outcome.as_str());
        kept.push(StoredItem { index: u32::try_from(index).unwrap_or(u32::MAX), outcome });
        data.push(shown);
    }
    batch.counts.total = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let mut reply = BatchReply::of(&batch, data);
    if let Err(failure) = api.ports.batches.record(batch, kept).await {
        // Its messages are durable: a failure here must not look as if they were not.
        error!(error = &failure as &dyn Error, "the record of a batch could not be kept");
        reply.id = None;
    }
    answer(&reply)
}

fn item(index: usize, result: Result<Accepted, Problem>, request_id: &str) -> (BatchItem, ItemOutcome) {
    match result {
        Ok(Accepted { reply, message, .. }) => {
            let (id, status) = (Some(reply.id.clone()), StatusCode::ACCEPTED.as_u16());
            let shown = BatchItem { index, status, id, message: Some(reply), problem: None };
            (shown, ItemOutcome::Accepted(message))
        }
        Err(problem) => {
            let document = problem_document(&problem, request_id);
            let outcome = ItemOutcome::Refused(document.to_string());
            let status = problem.code.status().as_u16();
            (BatchItem { index, status, id: None, message: None, problem: Some(document) }, outcome)
        }
    }
}
