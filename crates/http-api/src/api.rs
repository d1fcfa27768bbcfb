//! What every handler works with.

use std::{fmt, sync::Arc};

use hermes_directory::{Directory, Mint};
use hermes_domain::UnixMillis;
use hermes_ports::{
    ActorTree, AuditLog, Batches, CascadeInbox, Clock, DnsLookup, Erasure, Idempotency, InboundLog, ListSync,
    MessageIntake, MessageLog, OperationalEvents, Outbox, ProviderGateway, ReceiptInbox, Registry,
    Suppressions, UsageLog, adapter::AdapterHost, outbox::WebhookNotifier,
};
use hermes_templates::TemplateCache;
use tokio::sync::Semaphore;

use crate::{
    batches::Turns,
    health_board::HealthBoard,
    idempotency::InProgress,
    message_store::MessageStore,
    messages::layers::{dedup::DedupeWindow, rate::MessageRates},
    quotas::Quotas,
    rate::RateLimits,
    router::RouteTable,
    settings::{ApiLimits, ApiSettings},
    suppressions::Imports,
};

/// The ports that the API stands on.
#[derive(Clone)]
pub struct ApiPorts {
    /// Tenants, keys, connections, endpoints, stored cascades.
    pub directory: Arc<Directory>,
    /// Takes messages.
    pub intake: Arc<dyn MessageIntake>,
    /// Takes events for messages.
    pub inbox: Arc<dyn CascadeInbox>,
    /// Reads messages.
    pub store: MessageStore,
    /// Lists messages.
    pub log: Arc<dyn MessageLog>,
    /// Keeps idempotency keys.
    pub idempotency: Arc<dyn Idempotency>,
    /// Lists webhook deliveries.
    pub outbox: Arc<dyn Outbox>,
    /// Tells endpoints' actors of deliveries that are owed.
    pub notifier: Arc<dyn WebhookNotifier>,
    /// Counts of messages and cost.
    pub usage: Arc<dyn UsageLog>,
    /// Tells tenants what concerns all their messages.
    pub events: Arc<dyn OperationalEvents>,
    /// Addresses that tenants must not write to.
    pub suppressions: Arc<dyn Suppressions>,
    /// Makes recipients unreadable.
    pub erasure: Arc<dyn Erasure>,
    /// What people have written.
    pub inbound: Arc<dyn InboundLog>,
    /// Batches, their lines and what became of them.
    pub batches: Arc<dyn Batches>,
    /// Parks receipts that cannot be applied yet.
    pub receipts: Arc<dyn ReceiptInbox>,
    /// Keeps uploaded adapters.
    pub registry: Arc<dyn Registry>,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// Verifies webhooks, checks connections.
    pub gateway: Arc<dyn ProviderGateway>,
    /// Keeps the suppression lists of providers in step.
    pub lists: Arc<dyn ListSync>,
    /// Adapters and what they say about themselves.
    pub adapters: Arc<dyn AdapterHost>,
    /// Public records of names.
    pub dns: Arc<dyn DnsLookup>,
    /// The supervision tree.
    pub actors: Arc<dyn ActorTree>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub mint: Arc<Mint>,
}

impl fmt::Debug for ApiPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiPorts").finish_non_exhaustive()
    }
}

/// Everything that [`crate::router`] needs.
#[derive(Clone, Debug)]
pub struct ApiState {
    pub(crate) ports: ApiPorts,
    pub(crate) settings: ApiSettings,
    pub(crate) limits: ApiLimits,
}

impl ApiState {
    /// State with the default [`ApiLimits`].
    pub fn new(ports: ApiPorts, settings: ApiSettings) -> Self {
        Self { ports, settings, limits: ApiLimits::default() }
    }

    /// The same with other limits.
    #[must_use]
    pub const fn with_limits(mut self, limits: ApiLimits) -> Self {
        self.limits = limits;
        self
    }
}

/// The state as handlers see it: the ports and what lives as long as the router.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) ports: ApiPorts,
    pub(crate) settings: ApiSettings,
    pub(crate) limits: ApiLimits,
    pub(crate) rates: RateLimits,
    pub(crate) in_progress: InProgress,
    pub(crate) dedupe: DedupeWindow,
    pub(crate) message_rates: MessageRates,
    pub(crate) quotas: Quotas,
    pub(crate) health: HealthBoard,
    pub(crate) templates: TemplateCache,
    pub(crate) requests: Semaphore,
    pub(crate) large_bodies: Semaphore,
    pub(crate) imports: Imports,
    pub(crate) batch_turns: Turns,
    /// What each route needs of its callers.
    pub(crate) routes: RouteTable,
    /// The OpenAPI document.
    pub(crate) document: String,
}

impl Api {
    pub(crate) fn new(state: ApiState, routes: RouteTable, document: String) -> Self {
        let ApiState { ports, settings, limits } = state;
        Self {
            rates: RateLimits::new(limits.requests_per_s, limits.burst),
            in_progress: InProgress::default(),
            dedupe: DedupeWindow::default(),
            message_rates: MessageRates::default(),
            quotas: Quotas::default(),
            health: HealthBoard::default(),
            templates: TemplateCache::default(),
            requests: Semaphore::new(settings.max_concurrent_requests),
            large_bodies: Semaphore::new(limits.large_bodies),
            imports: Imports::default(),
            batch_turns: Turns::default(),
            ports,
            settings,
            limits,
            routes,
            document,
        }
    }

    pub(crate) fn now(&self) -> UnixMillis {
        self.ports.clock.now()
    }

    pub(crate) fn directory(&self) -> &Directory {
        &self.ports.directory
    }
}
