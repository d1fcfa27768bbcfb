//! How many requests a tenant may make, per process; and how any limit that refuses is told.

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

/// A limit that has nothing left, as the headers of a refusal tell it.
#[derive(Debug, Clone)]
pub(crate) struct Spent {
    /// What it counts, such as `messages.sms`; printable ASCII without quotes.
    pub(crate) name: String,
    /// How much there is of it.
    pub(crate) quota: u64,
    /// In how many seconds; `None` where it is no matter of a fixed time.
    pub(crate) window_s: Option<u32>,
}

impl Spent {
    /// What a request is told that may come back after `retry_after_s`.
    pub(crate) fn told(&self, retry_after_s: u32) -> RateState {
        let Self { name, quota, window_s } = self;
        let window = window_s.map(|seconds| format!(";w={seconds}")).unwrap_or_default();
        RateState {
            policy: header(format!("\"{name}\";q={quota}{window}")),
            state: header(format!("\"{name}\";r=0;t={retry_after_s}")),
            retry_after_s: Some(retry_after_s),
        }
    }
}

/// Whole seconds from `now` until `retry_at`, rounded up; at least one.
pub(crate) fn wait_s(retry_at: UnixMillis, now: UnixMillis) -> u32 {
    u32::try_from(retry_at.since(now).div_ceil(1_000)).unwrap_or(u32::MAX).max(1)
}

fn header(text: String) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static(""))
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
            policy: header(policy),
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
        let retry_after_s = match admission {
            Admission::Granted => None,
            Admission::Denied { retry_at } => Some(wait_s(retry_at, now)),
        };
        // A refused client is told when there is some of it again, any other when there is all of it.
        let refill_s = (self.burst - remaining.min(self.burst)).div_ceil(self.per_s);
        let left_s = retry_after_s.map_or(refill_s, u64::from);
        let mut state = String::with_capacity(32);
        let _ = write!(state, "\"tenant\";r={remaining};t={left_s}"); // Writing to a string cannot fail.
        RateState { policy: self.policy.clone(), state: header(state), retry_after_s }
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
        assert_eq!(told(us, now), ("\"tenant\";r=0;t=1".into(), Some(1)));
        assert_eq!(told(them, now).1, None);
        assert_eq!(told(us, now.plus_ms(500)).1, None);
    }
}
