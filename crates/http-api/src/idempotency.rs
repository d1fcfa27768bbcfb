//! Idempotency keys: one reply for one request, however often it is sent.

use axum::http::HeaderMap;
use hermes_domain::UnixMillis;
use hermes_ports::idempotency::{Claim, ClaimResult};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{auth::Caller, problem::Problem, state::ApiState};

/// How long a key is kept, in seconds.
const KEEP_S: u32 = 25 * 3_600;

/// A key whose request is running; frees it when dropped.
pub(crate) struct Running<'s> {
    state: &'s ApiState,
    caller: Caller,
    key: String,
    fingerprint: [u8; 32],
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.state.running_keys.lock().remove(&(self.caller.tenant, self.caller.mode, self.key.clone()));
    }
}

/// What a request with a key is.
pub(crate) enum Begun<'s> {
    /// The request carries no key.
    Unkeyed,
    /// The first with its key.
    First(Running<'s>),
    /// A repetition: this is what the first one led to.
    Repeated(ClaimResult),
}

/// Looks up the request's key and marks it as running.
pub(crate) async fn begin<'s>(
    state: &'s ApiState,
    caller: Caller,
    headers: &HeaderMap,
    path: &str,
    body: &Value,
) -> Result<Begun<'s>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(Begun::Unkeyed) };
    let visible =
        |key: &&str| (1..=255).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic());
    let Some(key) = value.to_str().ok().filter(visible) else {
        return Err(Problem::new(
            400,
            "header_invalid",
            "Idempotency-Key must be 1 to 255 visible ASCII characters",
        ));
    };
    let fingerprint = fingerprint(path, body);
    if !state.running_keys.lock().insert((caller.tenant, caller.mode, key.to_owned())) {
        return Err(Problem::new(
            409,
            "idempotency_in_progress",
            "the first request with this key is still running",
        ));
    }
    let running = Running { state, caller, key: key.to_owned(), fingerprint };
    let now = state.ports.clock.now();
    let found = state.ports.idempotency.find(caller.tenant, caller.mode, key, now).await;
    match found.map_err(|error| Problem::internal(&error))? {
        None => Ok(Begun::First(running)),
        Some(claim) if claim.fingerprint == fingerprint => Ok(Begun::Repeated(claim.result)),
        Some(_) => Err(Problem::new(422, "idempotency_mismatch", "this key was used for another request")),
    }
}

impl Running<'_> {
    /// The claim that makes `result` the reply for good.
    pub(crate) fn claim(&self, result: ClaimResult, not_before: UnixMillis) -> Claim {
        Claim {
            tenant: self.caller.tenant,
            mode: self.caller.mode,
            key: self.key.clone(),
            fingerprint: self.fingerprint,
            result,
            expires_at: not_before.plus_s(KEEP_S),
        }
    }
}

/// SHA-256 over method, path and canonical JSON; `serde_json` keeps object keys sorted.
fn fingerprint(path: &str, body: &Value) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"POST\n");
    hash.update(path.as_bytes());
    hash.update(b"\n");
    hash.update(body.to_string().as_bytes());
    hash.finalize().into()
}
