//! Taking one line of an upload.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use hermes_domain::{
    MessageId,
    batch::{Batch, BatchItem, ItemOutcome},
};
use hermes_ports::{StoreError, batches::WaitingLine, idempotency::ClaimResult};
use http::Method;
use serde_json::{Value, json};
use tracing::error;

use super::{PATH, problem_document, upload::LINE_BYTES_MAX};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{IdempotencyKey, Keyed, fingerprint},
    json,
    messages::{Acceptance, accept},
    problem::{Code, Problem},
};

/// What came of a line.
#[derive(Debug)]
pub(super) enum Taken {
    /// It is a message, or refused.
    Settled(BatchItem),
    /// There is no room now; in so many seconds there may be.
    Later(u32),
}

/// Takes a line. One that was taken before a crash is recognised by its key.
pub(super) async fn take(api: &Api, caller: &Caller, batch: &Batch, line: WaitingLine) -> Taken {
    let index = line.index;
    let settled = |outcome| Taken::Settled(BatchItem { index, outcome });
    let refused = |problem: Problem| {
        settled(ItemOutcome::Refused(problem_document(&problem, &batch.request_id).to_string()))
    };
    let (mut body, keyed) = match read(batch, &line) {
        Ok(read) => read,
        Err(problem) => return refused(problem),
    };
    if let Value::Object(fields) = &mut body {
        fields.entry("lane").or_insert_with(|| json!("bulk"));
    }
    let acceptance = Acceptance { caller, body, keyed: Some(keyed), trace: None };
    match AssertUnwindSafe(accept(api, acceptance)).catch_unwind().await {
        Ok(Ok(accepted)) => settled(ItemOutcome::Accepted(accepted.message)),
        Ok(Err(problem)) => match wait_of(&problem) {
            Some(seconds) => Taken::Later(seconds),
            None => refused(problem),
        },
        Err(_) => {
            error!(batch.id = %batch.id, index, "taking an item panicked");
            refused(Problem::new(Code::Internal, "The message could not be taken."))
        }
    }
}

/// The message that a line has become although its batch does not know it yet: a crash came between.
pub(super) async fn message_of(
    api: &Api,
    batch: &Batch,
    line: &WaitingLine,
) -> Result<Option<MessageId>, StoreError> {
    let Ok((_, keyed)) = read(batch, line) else { return Ok(None) };
    let (tenant, mode) = (batch.scope.tenant, batch.scope.mode);
    let claim = api.ports.idempotency.find(tenant, mode, keyed.key.as_str(), api.now()).await?;
    let ours = claim.filter(|claim| claim.fingerprint == keyed.fingerprint);
    Ok(match ours.map(|claim| claim.result) {
        Some(ClaimResult::Message(id)) => Some(id),
        Some(ClaimResult::Reply(_)) | None => None,
    })
}

fn read(batch: &Batch, line: &WaitingLine) -> Result<(Value, Keyed), Problem> {
    if line.body.is_empty() {
        return Err(body::too_large(LINE_BYTES_MAX));
    }
    let body = json::parse(&line.body)?;
    let keyed = Keyed {
        scope: batch.scope,
        key: IdempotencyKey::item(&batch.key, line.index as usize),
        fingerprint: fingerprint(&Method::POST, PATH, &body),
    };
    Ok((body, keyed))
}

/// How long the same message should wait for a better answer, in seconds; `None` when there will be none.
fn wait_of(problem: &Problem) -> Option<u32> {
    match problem.code {
        Code::RateLimited | Code::Overloaded | Code::IdempotencyInProgress | Code::TenantSuspended => {
            Some(problem.retry_after_s.unwrap_or(1))
        }
        _ => None,
    }
}
