//! Idempotency keys: one reply for one request, however often it is sent.

mod fingerprint;
mod in_progress;
mod key;
mod once;

pub(crate) use fingerprint::{Fingerprint, begin as begin_fingerprint, fingerprint, fingerprint_bytes};
pub(crate) use in_progress::{InProgress, in_progress};
pub(crate) use key::IdempotencyKey;
pub(crate) use once::{Keyed, OPERATOR, bodiless, once};

use hermes_domain::tenant::TenantScope;
use hermes_ports::idempotency::Claim;
use http::{HeaderName, HeaderValue};

use crate::{
    api::Api,
    problem::{Code, Problem},
};

/// How long claims are kept at least, in milliseconds (24 hours).
pub(crate) const KEPT_MS: u64 = 24 * 3_600_000;

/// Marks a reply that was given before.
pub(crate) const REPLAYED: (HeaderName, HeaderValue) =
    (HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));

/// The claim on a key, if it is for this very request.
pub(crate) async fn find(api: &Api, keyed: &Keyed) -> Result<Option<Claim>, Problem> {
    let TenantScope { tenant, mode } = keyed.scope;
    let found = api.ports.idempotency.find(tenant, mode, keyed.key.as_str(), api.now()).await?;
    match found {
        Some(claim) if claim.fingerprint != keyed.fingerprint => Err(Problem::new(
            Code::IdempotencyMismatch,
            "This Idempotency-Key was used for a request that said something else.",
        )),
        found => Ok(found),
    }
}
