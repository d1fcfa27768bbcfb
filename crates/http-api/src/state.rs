//! What handlers work with.

use std::{collections::HashSet, fmt, sync::Arc, time::Duration};

use dashmap::DashMap;
use hermes_directory::{Directory, Mint};
use hermes_domain::{TenantId, message::Mode, rate_window::RateWindow};
use hermes_ports::{
    ActorTree, CascadeInbox, CascadeStore, Clock, Idempotency, MessageIntake, MessageLog, Outbox,
    ProviderGateway, ReceiptInbox, Registry, adapter::AdapterHost,
};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// Ports that handlers call.
#[derive(Clone)]
pub struct ApiPorts {
    /// Tenants, keys, connections, endpoints.
    pub directory: Arc<Directory>,
    /// Where messages come in.
    pub intake: Arc<dyn MessageIntake>,
    /// Where events for messages come in.
    pub inbox: Arc<dyn CascadeInbox>,
    /// Where messages live.
    pub store: Arc<dyn CascadeStore>,
    /// Lists of messages.
    pub log: Arc<dyn MessageLog>,
    /// Idempotency keys.
    pub idempotency: Arc<dyn Idempotency>,
    /// Webhooks.
    pub outbox: Arc<dyn Outbox>,
    /// Receipts that cannot be applied yet.
    pub receipts: Arc<dyn ReceiptInbox>,
    /// Uploaded adapters.
    pub registry: Arc<dyn Registry>,
    /// Provider connections.
    pub gateway: Arc<dyn ProviderGateway>,
    /// Adapters.
    pub adapters: Arc<dyn AdapterHost>,
    /// The live tree.
    pub actors: Arc<dyn ActorTree>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Ids.
    pub mint: Arc<Mint>,
}

/// Settings of the API.
#[derive(Clone)]
pub struct ApiSettings {
    /// Public address, without a slash at the end: signatures of receipts are checked against it.
    pub public_url: String,
    /// Where test connections send to.
    pub simulator_url: String,
    /// Requests served at once; more are refused with 503.
    pub max_concurrent_requests: usize,
    /// How long a request's body may take to arrive.
    pub request_timeout: Duration,
    /// Attempts per step of a cascade.
    pub attempts_per_step: u16,
    /// Life of a message that names no `expires_at`.
    pub default_expiry: Duration,
    /// Renders `/metrics`.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// Whether `/readyz` says yes.
    pub ready: Arc<dyn Fn() -> bool + Send + Sync>,
}

/// Ports, settings and what requests share.
pub struct ApiState {
    pub(crate) ports: ApiPorts,
    pub(crate) settings: ApiSettings,
    pub(crate) slots: Semaphore,
    /// Idempotency keys whose first request is still running.
    pub(crate) running_keys: Mutex<HashSet<(TenantId, Mode, String)>>,
    pub(crate) windows: DashMap<TenantId, RateWindow>,
}

impl ApiState {
    /// Nothing is running.
    pub fn new(ports: ApiPorts, settings: ApiSettings) -> Self {
        let slots = Semaphore::new(settings.max_concurrent_requests);
        Self { ports, settings, slots, running_keys: Mutex::default(), windows: DashMap::new() }
    }
}

impl fmt::Debug for ApiPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiPorts").finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiSettings").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiState").finish_non_exhaustive()
    }
}
