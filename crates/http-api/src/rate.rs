//! How many requests a tenant may make, per process.

use std::fmt::Write as _;

use dashmap::DashMap;
use hermes_domain::{
    TenantId, UnixMillis,
    rate_window::{Admission, RateWindow},
};
use http::{HeaderName, HeaderValue};

/// Describes the limit (IETF draft `httpapi-ratelimit-headers`).
pub(crate) const POLICY_HEADER: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Says what is left of it.
pub(crate) const STATE_HEADER: HeaderName = HeaderName::from_static("ratelimit");

/// Tenants remembered; beyond them the idle ones are forgotten.
const TENANTS_MAX: usize = 100_000;

/// A window per tenant.
#[derive(Debug)]
pub(crate) struct RateLimits {
    windows: DashMap<TenantId, RateWindow>,
    fresh: RateWindow,
    burst: u64,
    per_s: u64,
    policy: HeaderValue,
}

/// What a request was told.
#[derive(Debug, Clone)]
pub(crate) struct RateState {
    /// `RateLimit-Policy`.
    pub(crate) policy: HeaderValue,
    /// `RateLimit`.
    pub(crate) state: HeaderValue,
    /// In seconds, when refused.
    pub(crate) retry_after_s: Option<u32>,
}

impl RateLimits {
    pub(crate) fn new(per_s: u32, burst: u32) -> Self {
        let (per_s, burst) = (per_s.max(1), burst.max(1));
        // The quota is refilled within this many seconds.
        let window_s = burst.div_ceil(per_s);
        let policy = format!("\"tenant\";q={burst};w={window_s}");
        Self {
            windows: DashMap::new(),
            fresh: RateWindow::new(per_s, 1_000, burst),
            burst: burst.into(),
            per_s: per_s.into(),
            policy: HeaderValue::try_from(policy).unwrap_or_else(|_| HeaderValue::from_static("")),
        }
    }

    /// Counts a request of `tenant`.
    pub(crate) fn admit(&self, tenant: TenantId, now: UnixMillis) -> RateState {
        if self.windows.len() >= TENANTS_MAX {
            self.windows.retain(|_, window| window.remaining(now) < self.burst);
        }
        let (admission, remaining) = {
            let mut window = self.windows.entry(tenant).or_insert(self.fresh);
            (window.admit(now), window.remaining(now))
        };
        let mut state = String::with_capacity(32);
        let refill_s = (self.burst - remaining.min(self.burst)).div_ceil(self.per_s);
        let _ = write!(state, "\"tenant\";r={remaining};t={refill_s}"); // Writing to a string cannot fail.
        RateState {
            policy: self.policy.clone(),
            state: HeaderValue::try_from(state).unwrap_or_else(|_| HeaderValue::from_static("")),
            retry_after_s: match admission {
                Admission::Granted => None,
                Admission::Denied { retry_at } => {
                    Some(u32::try_from(retry_at.since(now).div_ceil(1_000)).unwrap_or(u32::MAX).max(1))
                }
            },
        }
    }

    /// Requests a second in the long run, and at once.
    pub(crate) const fn quota(&self) -> (u64, u64) {
        (self.per_s, self.burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tenant_has_a_burst_of_its_own_and_is_told_when_to_return() {
        let limits = RateLimits::new(2, 3);
        let (us, them) = (TenantId::new(UnixMillis(0), 1), TenantId::new(UnixMillis(0), 2));
        let now = UnixMillis(10_000);
        let told = |tenant, now| {
            let state = limits.admit(tenant, now);
            (state.state.to_str().unwrap().to_owned(), state.retry_after_s)
        };
        assert_eq!(told(us, now), ("\"tenant\";r=2;t=1".into(), None));
        told(us, now);
        assert_eq!(told(us, now), ("\"tenant\";r=0;t=2".into(), None));
        assert_eq!(told(us, now), ("\"tenant\";r=0;t=2".into(), Some(1)));
        assert_eq!(told(them, now).1, None);
        assert_eq!(told(us, now.plus_ms(500)).1, None);
    }
}
