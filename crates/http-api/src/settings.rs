//! What the composition root decides about the API.

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use hermes_domain::address::Channel;

/// Renders the metrics for `/metrics`.
pub type RenderMetrics = Arc<dyn Fn() -> String + Send + Sync>;
/// Says whether this process should get traffic.
pub type IsReady = Arc<dyn Fn() -> bool + Send + Sync>;

/// Settings of the API.
#[derive(Clone)]
pub struct ApiSettings {
    /// The address under which others reach us. Receipt signatures are checked against it, never against
    /// the `Host` header. A slash at its end does not matter.
    pub public_url: String,
    /// Where test connections send to; every connection with mode `test` is given this `base_url`.
    pub simulator_url: String,
    /// Requests served at one time; further ones are answered 503.
    pub max_concurrent_requests: usize,
    /// A request that takes longer is given up.
    pub request_timeout: Duration,
    /// Most attempts within one step, 1–20.
    pub attempts_per_step: u16,
    /// Of so many messages in a hundred another connection than the best goes first, so that figures stay fresh.
    pub exploration_percent: u8,
    /// How long a step waits that names no time, in seconds; channels that are not listed keep
    /// [`Channel::default_timeout_s`].
    pub step_timeouts_s: BTreeMap<Channel, u32>,
    /// When a message ends that names no expiry.
    pub default_expiry: Duration,
    /// Renders the metrics.
    pub metrics: RenderMetrics,
    /// Whether this process should get traffic, apart from what the store says.
    pub ready: IsReady,
}

impl ApiSettings {
    /// The public address without a slash at its end.
    pub(crate) fn public_base(&self) -> &str {
        self.public_url.trim_end_matches('/')
    }
}

impl fmt::Debug for ApiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSettings")
            .field("public_url", &self.public_url)
            .field("max_concurrent_requests", &self.max_concurrent_requests)
            .finish_non_exhaustive()
    }
}

/// Limits that rarely need to change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ApiLimits {
    /// Requests a second that one tenant may make in the long run.
    pub requests_per_s: u32,
    /// Requests that one tenant may make at once.
    pub burst: u32,
    /// Bodies above 256 KiB that are read at one time; each may take 10 MiB of memory.
    pub large_bodies: usize,
    /// Tenants' webhooks may name private and loopback addresses, and plain HTTP. Off: refused at
    /// creation; egress refuses them at delivery whatever this says.
    pub private_webhooks: bool,
}

impl Default for ApiLimits {
    fn default() -> Self {
        Self { requests_per_s: 10_000, burst: 20_000, large_bodies: 32, private_webhooks: false }
    }
}
