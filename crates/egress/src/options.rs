//! What can be set.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use crate::{lookup::Lookup, private_access::PrivateAccess};

/// Tells the time for signatures and token lifetimes.
pub type Clock = Arc<dyn Fn() -> SystemTime + Send + Sync>;

/// Settings of [`HttpEgress`](crate::HttpEgress). The default is fit for production.
#[derive(Clone)]
pub struct EgressOptions {
    /// For name, TCP and TLS together; 3 s. Reaching it proves that nothing was sent.
    pub connect_timeout: Duration,
    /// Largest response, headers and body together; 256 KiB.
    pub response_max_bytes: usize,
    /// Non-public addresses that adapters' requests may reach (`base_url`, `token_uri`, certificates).
    pub allow_private: PrivateAccess,
    /// Non-public addresses that tenants' webhooks may reach.
    pub webhook_allow_private: PrivateAccess,
    /// Development: plain HTTP, and only to addresses that are opened above, never to public ones.
    pub allow_http: bool,
    /// Idle connections kept per host; 64.
    pub pool_idle_per_host: usize,
    /// How long a connection may idle; 15 s. It must stay below the idle time of the other side: a request
    /// written to a connection that is being closed ends as an unknown outcome.
    pub pool_idle_timeout: Duration,
    /// Connections whose tokens and parsed keys are kept; 4,096. Beyond it the least used is dropped.
    pub token_sources_max: usize,
    /// Value of `User-Agent`.
    pub user_agent: String,
    /// Trusted certificate authorities (DER) beside those of the operating system.
    pub extra_root_certificates: Vec<Vec<u8>>,
    /// The clock.
    pub now: Clock,
    /// Resolves names; `None` for the operating system's resolver.
    pub lookup: Option<Arc<dyn Lookup>>,
}

impl Default for EgressOptions {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(3),
            response_max_bytes: 256 * 1024,
            allow_private: PrivateAccess::None,
            webhook_allow_private: PrivateAccess::None,
            allow_http: false,
            pool_idle_per_host: 64,
            pool_idle_timeout: Duration::from_secs(15),
            token_sources_max: 4096,
            user_agent: concat!("hermes/", env!("CARGO_PKG_VERSION")).to_owned(),
            extra_root_certificates: Vec::new(),
            now: Arc::new(SystemTime::now),
            lookup: None,
        }
    }
}

impl fmt::Debug for EgressOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressOptions")
            .field("connect_timeout", &self.connect_timeout)
            .field("response_max_bytes", &self.response_max_bytes)
            .field("allow_private", &self.allow_private)
            .field("webhook_allow_private", &self.webhook_allow_private)
            .field("allow_http", &self.allow_http)
            .field("pool_idle_per_host", &self.pool_idle_per_host)
            .field("pool_idle_timeout", &self.pool_idle_timeout)
            .finish_non_exhaustive()
    }
}
