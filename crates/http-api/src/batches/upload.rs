//! Messages in an NDJSON body: kept line by line as they arrive, the whole body is never in memory.

use std::{error::Error, sync::Arc};

use axum::{body::Body, extract::Request, response::Response};
use bytes::Bytes;
use hermes_domain::{
    BatchId,
    batch::{Batch, BatchState, ITEMS_MAX},
    tenant::TenantScope,
};
use hermes_ports::{StoreError, batches::APPEND_MAX, idempotency::Claim};
use http::{HeaderMap, Method, header};
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tracing::warn;

use super::{
    PATH,
    claim::{batch_claim, batch_of},
    create::{self, BatchReply},
    new_batch,
};
use crate::{
    api::Api,
    body,
    gate::Caller,
    idempotency::{Fingerprint, IdempotencyKey, KEPT_MS, REPLAYED, begin_fingerprint},
    messages::check_tenant,
    problem::{Code, Fault, Problem},
    rate::Spent,
    records::{Record, Records},
    request_id::RequestId,
};

/// Largest body, in bytes.
const BODY_MAX: usize = 64 * 1024 * 1024;
/// Longest line, in bytes.
pub(super) const LINE_BYTES_MAX: usize = 256 * 1024;
/// Most batches under way in one mode of a tenant.
const UNDER_WAY_MAX: usize = 10;
/// Lines are kept when so many bytes of them have come together.
const KEPT_AT_BYTES: usize = 512 * 1024;

pub(super) async fn upload(
    api: Arc<Api>,
    caller: Caller,
    request_id: RequestId,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    expect_plain(&parts.headers)?;
    check_tenant(&caller)?;
    let key = IdempotencyKey::of(&parts.headers)?;
    let scope = caller.scope();
    let Some(key) = key else {
        let batch = receive(&api, scope, &request_id, None, body).await?;
        return Ok(answer(&batch, false));
    };
    let _running = api.in_progress.start(scope, key.as_str())?;
    let found = api.ports.idempotency.find(scope.tenant, scope.mode, key.as_str(), api.now()).await?;
    if let Some(claim) = found {
        return earlier(&api, scope, &claim, body).await;
    }
    let batch = receive(&api, scope, &request_id, Some(&key), body).await?;
    Ok(answer(&batch, false))
}

fn expect_plain(headers: &HeaderMap) -> Result<(), Problem> {
    if headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity") {
        let detail = "Send application/x-ndjson in UTF-8 and without a content encoding.";
        return Err(Problem::new(Code::UnsupportedMediaType, detail));
    }
    Ok(())
}

fn answer(batch: &Batch, replayed: bool) -> Response {
    let mut response = create::answer(&BatchReply::of(batch, Vec::new()));
    if replayed {
        response.headers_mut().insert(REPLAYED.0, REPLAYED.1);
    }
    response
}

/// The batch that the key has led to, if the body is the same.
async fn earlier(api: &Api, scope: TenantScope, claim: &Claim, body: Body) -> Result<Response, Problem> {
    let mut reading = Reading::new(body);
    while reading.next().await?.is_some() {}
    if reading.fingerprint() != claim.fingerprint {
        let detail = "This Idempotency-Key was used for a request that said something else.";
        return Err(Problem::new(Code::IdempotencyMismatch, detail));
    }
    let batch = match batch_of(claim) {
        Some(id) => api.ports.batches.get(scope, id).await?,
        None => None,
    };
    Ok(answer(&batch.ok_or_else(Problem::not_found)?, true))
}

/// Reads the lines into a new batch and starts it.
async fn receive(
    api: &Arc<Api>,
    scope: TenantScope,
    request_id: &RequestId,
    key: Option<&IdempotencyKey>,
    body: Body,
) -> Result<Batch, Problem> {
    let mut batch = new_batch(api, scope, BatchState::Receiving, request_id.as_str());
    if let Some(key) = key {
        key.as_str().clone_into(&mut batch.key);
    }
    match api.ports.batches.open(batch.clone(), UNDER_WAY_MAX).await {
        Err(StoreError::Full) => {
            let detail =
                format!("{UNDER_WAY_MAX} batches of the tenant are under way; wait for the end of one.");
            let spent = Spent { name: "batches".to_owned(), quota: UNDER_WAY_MAX as u64, window_s: None };
            return Err(Problem::new(Code::RateLimited, detail).retry_after(5).for_lack_of(spent));
        }
        opened => opened?,
    }
    let open = Open { api: Arc::clone(api), scope, id: batch.id, is_started: false };
    let mut reading = Reading::new(body);
    batch.counts.total = keep(api, &batch, &mut reading).await?;
    batch.updated_at = api.now();
    let claim = key.map(|_| batch_claim(&batch, reading.fingerprint(), batch.updated_at.plus_ms(KEPT_MS)));
    match api.ports.batches.start(scope, batch.id, claim, batch.updated_at).await {
        Err(StoreError::ClaimTaken) => return Err(crate::idempotency::in_progress()),
        started => started?,
    }
    open.started();
    batch.state = BatchState::Running;
    api.batch_turns.wake();
    Ok(batch)
}

/// Keeps the lines of a body; returns how many.
async fn keep(api: &Api, batch: &Batch, reading: &mut Reading) -> Result<u32, Problem> {
    let (mut lines, mut bytes, mut total) = (Vec::new(), 0, 0_u32);
    while let Some(record) = reading.next().await? {
        total = total.saturating_add(1);
        if total > ITEMS_MAX {
            let detail = format!("The body has more than {ITEMS_MAX} lines.");
            return Err(Problem::new(Code::PayloadTooLarge, detail));
        }
        // An empty line stands for one that was too long: it is refused in its turn.
        let line = record.bytes.unwrap_or_default();
        bytes += line.len();
        lines.push(Bytes::copy_from_slice(line.trim_ascii()));
        if lines.len() >= APPEND_MAX || bytes >= KEPT_AT_BYTES {
            bytes = 0;
            api.ports.batches.append(batch.scope, batch.id, std::mem::take(&mut lines)).await?;
        }
    }
    if total == 0 {
        let fault = Fault::new("", "empty", "expected one message a line");
        return Err(Problem::new(Code::SchemaInvalid, "There is no line.").with_faults(vec![fault]));
    }
    if !lines.is_empty() {
        api.ports.batches.append(batch.scope, batch.id, lines).await?;
    }
    Ok(total)
}

/// A batch whose lines are being read. Dropped before it was started, nothing is left of it.
struct Open {
    api: Arc<Api>,
    scope: TenantScope,
    id: BatchId,
    is_started: bool,
}

impl Open {
    fn started(mut self) {
        self.is_started = true;
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.is_started {
            return;
        }
        let (api, scope, id) = (Arc::clone(&self.api), self.scope, self.id);
        tokio::spawn(async move {
            if let Err(failure) = api.ports.batches.discard(scope, id).await {
                // The next start discards it.
                warn!(error = &failure as &dyn Error, "a broken upload could not be discarded");
            }
        });
    }
}

/// Lines of a body as they arrive.
struct Reading {
    body: Body,
    records: Records,
    hash: Sha256,
    /// What arrived and is not cut into lines yet.
    frame: Bytes,
    total: usize,
    is_over: bool,
}

impl Reading {
    fn new(body: Body) -> Self {
        let (records, hash) = (Records::new(false, LINE_BYTES_MAX), begin_fingerprint(&Method::POST, PATH));
        Self { body, records, hash, frame: Bytes::new(), total: 0, is_over: false }
    }

    /// The next line. `None`: the body has ended.
    async fn next(&mut self) -> Result<Option<Record>, Problem> {
        loop {
            if let Some(record) = self.records.next() {
                return Ok(Some(record));
            }
            // A frame may be large; what is cut from it at once is not.
            let piece = self.frame.split_to(self.frame.len().min(LINE_BYTES_MAX));
            if !piece.is_empty() {
                self.records.push(&piece);
                continue;
            }
            if self.is_over {
                return Ok(None);
            }
            let Some(frame) = self.body.frame().await else {
                self.is_over = true;
                if let Some(last) = self.records.finish() {
                    return Ok(Some(last));
                }
                continue;
            };
            let Ok(data) = frame.map_err(body::broken)?.into_data() else { continue };
            self.total = self.total.saturating_add(data.len());
            if self.total > BODY_MAX {
                return Err(body::too_large(BODY_MAX));
            }
            self.hash.update(&data);
            self.frame = data;
        }
    }

    /// Of the whole body, once it has ended.
    fn fingerprint(&self) -> Fingerprint {
        self.hash.clone().finalize().into()
    }
}
