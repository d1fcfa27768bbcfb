//! Limits of provider connections.

use std::time::Duration;

use hermes_domain::breaker::BreakerPolicy;

/// Limits that hold for every connection. Each has a default that suits one node.
#[derive(Clone, Debug)]
pub struct Options {
    /// Calls that one connection may have running; this many adapter instances and sockets at most.
    pub slots_max: u32,
    /// Wishes that may wait for one connection.
    pub waiting_max: usize,
    /// Wishes of one tenant that may wait for one connection.
    pub waiting_per_tenant_max: usize,
    /// How long a call may take if its connection's `timeout_s` does not say.
    pub call_limit: Duration,
    /// The most that a connection's `timeout_s` may ask for.
    pub call_limit_max: Duration,
    /// How long verifying a webhook may take, requests included.
    pub receive_limit: Duration,
    /// Lookups that one connection may make a second; zero for none.
    pub lookups_per_s: u32,
    /// Calls about its provider's suppression list that one connection may make a second; zero for none.
    pub list_calls_per_s: u32,
    /// How often such a list is read.
    pub lists_read_every: Duration,
    /// Pages that one reading of a list takes at most; the next one goes on.
    pub list_pages_max: u32,
    /// How long a lookup may take: a step waits for it.
    pub lookup_limit: Duration,
    /// When breakers open.
    pub breaker: BreakerPolicy,
    /// How long an outcome is offered to its message before recovery has to find it.
    pub deliver_for: Duration,
    /// How often the index of parked receipts is read anew.
    pub orphans_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            slots_max: 256,
            waiting_max: 100_000,
            waiting_per_tenant_max: 50_000,
            call_limit: Duration::from_secs(10),
            call_limit_max: Duration::from_secs(30),
            receive_limit: Duration::from_secs(5),
            lookups_per_s: 20,
            list_calls_per_s: 1,
            lists_read_every: Duration::from_secs(3_600),
            list_pages_max: 20,
            lookup_limit: Duration::from_millis(1_500),
            breaker: BreakerPolicy::default(),
            deliver_for: Duration::from_secs(60),
            orphans_every: Duration::from_secs(60),
        }
    }
}
