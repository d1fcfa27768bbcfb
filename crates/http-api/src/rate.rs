//! Requests per tenant and second, and the headers that tell of it (IETF draft `RateLimit`).

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use hermes_domain::{
    TenantId,
    rate_window::{Admission, RateWindow},
};

use crate::{problem::Problem, state::ApiState};

/// Requests a second that one tenant may make; a second's worth may come at once.
const REQUESTS_PER_S: u32 = 10_000;

/// Takes one request of the tenant's rate.
pub(crate) fn admit(state: &ApiState, tenant: TenantId) -> Result<(), Problem> {
    let now = state.ports.clock.now();
    let fresh = || RateWindow::new(REQUESTS_PER_S, 1_000, REQUESTS_PER_S);
    match state.windows.entry(tenant).or_insert_with(fresh).admit(now) {
        Admission::Granted => Ok(()),
        Admission::Denied { retry_at } => {
            let seconds = retry_at.since(now).div_ceil(1_000).max(1);
            Err(Problem::new(429, "rate_limited", "too many requests").layer("rate").retry_after(seconds))
        }
    }
}

/// Adds the headers that every answer of `/v1` carries.
pub(crate) fn tell(headers: &mut HeaderMap) {
    let policy = HeaderValue::from_static("\"tenant\";q=10000;w=1");
    headers.insert(HeaderName::from_static("ratelimit-policy"), policy);
    headers.insert(HeaderName::from_static("ratelimit"), HeaderValue::from_static("\"tenant\";r=10000;t=1"));
}
