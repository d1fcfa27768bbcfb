//! The idempotency key of a batch's request.

use hermes_domain::{BatchId, UnixMillis, batch::Batch, tenant::TenantScope};
use hermes_ports::idempotency::{Claim, ClaimResult, StoredReply};
use http::StatusCode;
use serde_json::{Value, json};

use crate::idempotency::Fingerprint;

/// Takes the key of the request that makes `batch`. It names the batch alone: the reply is made from that again.
pub(super) fn batch_claim(batch: &Batch, fingerprint: Fingerprint, expires_at: UnixMillis) -> Claim {
    let TenantScope { tenant, mode } = batch.scope;
    let body = json!({ "id": batch.id }).to_string();
    Claim {
        tenant,
        mode,
        key: batch.key.clone(),
        fingerprint,
        result: StoredReply { status: StatusCode::ACCEPTED.as_u16(), body, location: None, etag: None }
            .into(),
        expires_at,
    }
}

/// The batch that a claim of [`batch_claim`] led to.
pub(super) fn batch_of(claim: &Claim) -> Option<BatchId> {
    let ClaimResult::Reply(reply) = &claim.result else { return None };
    serde_json::from_str::<Value>(&reply.body).ok()?.get("id")?.as_str()?.parse().ok()
}
