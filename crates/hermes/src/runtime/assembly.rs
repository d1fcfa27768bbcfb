//! One server, put together from its parts.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context as _;
use axum::Router;
use hermes_actor_cascade::{CascadeOptions, LaneLimits};
use hermes_actor_provider::Options as GatewayOptions;
use hermes_actor_system::{HermesSystem, SystemOptions, SystemPorts, WebhookOptions};
use hermes_config::Config;
use hermes_directory::{Directory, Mint};
use hermes_domain::{access::Role, address::Channel, connection::Connection, message::Mode};
use hermes_egress::DnsClient;
use hermes_http_api::{
    ApiLimits, ApiPorts, ApiSettings, ApiState, BatchRunner, MessageStore, ParkedReceipts, router,
};
use hermes_ports::{Clock as _, Registry, adapter::AdapterHost, clock::SystemClock};
use hermes_wasm_host::{HostOptions, WasmHost};

use tokio::sync::broadcast;

use super::{
    Actor, Line, Told,
    egress::ModalEgress,
    keys, on_record,
    operator::operator_key,
    serving::flag,
    stores::{Stores, open_stores},
};

/// What the command line adds to the configuration.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The public address, as it turned out after binding.
    pub(crate) public_url: String,
    /// Where test connections send to.
    pub(crate) simulator_url: String,
    /// Tenants' webhooks may go to this machine.
    pub(crate) webhooks_local: bool,
    /// Who wants a line per change.
    pub(crate) trail: Option<broadcast::Sender<Line>>,
}

/// A server that only has to be listened for.
#[derive(Debug)]
pub(crate) struct Assembly {
    pub(crate) router: Router,
    pub(crate) parked_receipts: ParkedReceipts,
    pub(crate) batches: BatchRunner,
    pub(crate) system: HermesSystem,
    pub(crate) stores: Stores,
    pub(crate) directory: Arc<Directory>,
    pub(crate) mint: Arc<Mint>,
    pub(crate) clock: SystemClock,
    /// Set when the server is to be left alone by load balancers.
    pub(crate) draining: Arc<AtomicBool>,
}

impl Assembly {
    /// Opens the stores, loads the adapters, starts the actors and builds the router.
    ///
    /// # Errors
    /// Whatever is missing, in words for an operator.
    pub(crate) async fn start(config: &Config, settings: &Settings) -> anyhow::Result<Self> {
        let clock = SystemClock::at_boot();
        let metrics = hermes_telemetry::install_metrics().context("could not install metrics")?;
        let mut stores = open_stores(config, clock).await?;
        if let Some(lines) = settings.trail.clone() {
            stores.cascades = Arc::new(Told::new(Arc::clone(&stores.cascades), lines));
        }
        let directory = Directory::open(stores.registry(), keys::keys(config)?)
            .await
            .context("could not read the directory")?;
        to_simulator(&directory, &settings.simulator_url).await?;
        let mint = Arc::new(Mint::new(Arc::new(clock), (0..=255).collect()));
        bootstrap(config, &stores, &directory, &mint, clock).await?;
        let adapters = adapters(config, &stores.registry()).await?;
        let egress = ModalEgress::start(config, settings.webhooks_local)?;
        let ports = SystemPorts {
            store: Arc::clone(&stores.cascades),
            outbox: Arc::clone(&stores.embedded) as _,
            receipts: Arc::clone(&stores.embedded) as _,
            suppressions: Arc::clone(&stores.embedded) as _,
            lists: Arc::clone(&stores.embedded) as _,
            upkeep: Arc::clone(&stores.embedded) as _,
            directory: Arc::clone(&directory),
            egress,
            clock,
        };
        let system =
            HermesSystem::start(ports, Arc::clone(&adapters) as _, system_options(config, settings)).await?;
        let draining = flag();
        let state = ApiState::new(
            api_ports(&stores, &system, (&directory, &mint), (adapters, clock)),
            api_settings(config, settings, metrics, &system, &draining),
        )
        .with_limits(ApiLimits {
            private_webhooks: settings.webhooks_local || config.webhooks.allow_private,
            ..ApiLimits::default()
        });
        let (router, parked_receipts, batches) = router(state);
        Ok(Self { router, parked_receipts, batches, system, stores, directory, mint, clock, draining })
    }
}

/// What the API stands on.
fn api_ports(
    stores: &Stores,
    system: &HermesSystem,
    (directory, mint): (&Arc<Directory>, &Arc<Mint>),
    (adapters, clock): (Arc<WasmHost>, SystemClock),
) -> ApiPorts {
    ApiPorts {
        directory: Arc::clone(directory),
        intake: system.intake(),
        inbox: system.inbox(),
        store: MessageStore::new(Arc::clone(&stores.cascades)),
        log: Arc::clone(&stores.embedded) as _,
        idempotency: Arc::clone(&stores.embedded) as _,
        outbox: Arc::clone(&stores.embedded) as _,
        notifier: system.notifier(),
        usage: Arc::clone(&stores.embedded) as _,
        events: system.events(),
        suppressions: Arc::clone(&stores.embedded) as _,
        erasure: Arc::clone(&stores.erasure),
        inbound: Arc::clone(&stores.embedded) as _,
        batches: Arc::clone(&stores.embedded) as _,
        receipts: system.receipts(),
        registry: stores.registry(),
        audit: Arc::clone(&stores.embedded) as _,
        gateway: system.gateway(),
        lists: system.lists(),
        adapters: adapters as _,
        dns: Arc::new(DnsClient::of_system()),
        actors: system.tree(),
        clock: Arc::new(clock),
        mint: Arc::clone(mint),
    }
}

/// Points the connections of test mode at the simulator: by construction they reach nothing else.
async fn to_simulator(directory: &Directory, url: &str) -> anyhow::Result<()> {
    let test_only = |connection: &Connection| (connection.mode == Mode::Test).then(|| url.to_owned());
    let moved = directory.update_base_urls(test_only).await;
    moved.map(drop).context("could not point test connections at the simulator")
}

fn api_settings(
    config: &Config,
    settings: &Settings,
    metrics: hermes_telemetry::MetricsHandle,
    system: &HermesSystem,
    draining: &Arc<AtomicBool>,
) -> ApiSettings {
    let (recovered, draining) = (system.has_recovered(), Arc::clone(draining));
    ApiSettings {
        public_url: settings.public_url.clone(),
        simulator_url: settings.simulator_url.clone(),
        max_concurrent_requests: config.server.max_concurrent_requests.get(),
        request_timeout: config.server.request_timeout,
        attempts_per_step: config.cascade.attempts_per_step,
        exploration_percent: config.cascade.exploration_percent,
        step_timeouts_s: step_timeouts(config),
        default_expiry: config.cascade.default_expiry,
        metrics: Arc::new(move || metrics.render()),
        ready: Arc::new(move || recovered.load(Ordering::Acquire) && !draining.load(Ordering::Acquire)),
    }
}

fn step_timeouts(config: &Config) -> BTreeMap<Channel, u32> {
    let limits = &config.cascade.step_timeout;
    let by_channel = [
        (Channel::Sms, limits.sms),
        (Channel::Email, limits.email),
        (Channel::Push, limits.push),
        (Channel::Whatsapp, limits.whatsapp),
    ];
    by_channel.map(|(channel, limit)| (channel, u32::try_from(limit.as_secs()).unwrap_or(u32::MAX))).into()
}

fn system_options(config: &Config, settings: &Settings) -> SystemOptions {
    SystemOptions {
        cascades: CascadeOptions {
            public_url: settings.public_url.clone(),
            passivate_after: config.cascade.passivate_after,
            poison_failures_max: config.cascade.poison_failures_max,
        },
        lanes: LaneLimits {
            otp: config.admission.otp_max.get(),
            transactional: config.admission.transactional_max.get(),
            bulk: config.admission.bulk_max.get(),
        },
        gateway: GatewayOptions {
            call_limit: config.egress.timeout,
            lookups_per_s: config.egress.lookups_per_s,
            list_calls_per_s: config.egress.list_calls_per_s,
            lists_read_every: config.egress.lists_read_every,
            list_pages_max: config.egress.list_pages_max,
            ..GatewayOptions::default()
        },
        webhooks: WebhookOptions {
            post_limit: config.webhooks.timeout,
            retry_delays: config.webhooks.retry_delays.clone(),
            disable_after: config.webhooks.disable_after,
            ..WebhookOptions::default()
        },
    }
}

/// The operator key that the configuration names, if any.
async fn bootstrap(
    config: &Config,
    stores: &Stores,
    directory: &Directory,
    mint: &Mint,
    clock: SystemClock,
) -> anyhow::Result<()> {
    let Some(secret) = &config.bootstrap.operator_key else { return Ok(()) };
    if directory.has_key(secret.expose()) {
        return Ok(());
    }
    let key = operator_key(mint, clock.now(), "bootstrap", Role::Admin);
    let what = ("createOperatorKey", format!("keys/{}", key.id));
    let import = async {
        directory.import_key(key, secret.expose()).await.context("could not store bootstrap.operator_key")
    };
    on_record(&*stores.embedded, clock, Actor::Bootstrap, what, import).await
}

/// What the configuration allows adapters.
fn host_options(config: &Config) -> HostOptions {
    let wasm = &config.wasm;
    let bytes = |size: hermes_config::ByteSize| usize::try_from(size.bytes()).unwrap_or(usize::MAX);
    HostOptions {
        memory_max_bytes: bytes(wasm.memory_max),
        guest_time_ms: u64::try_from(wasm.guest_time.as_millis()).unwrap_or(u64::MAX),
        instances_max: u32::try_from(wasm.instances_max.get()).unwrap_or(u32::MAX),
        rounds_max: u8::try_from(wasm.rounds_max).unwrap_or(u8::MAX),
        output_max_bytes: bytes(wasm.output_max),
        log_bytes_max: bytes(wasm.log_max),
        cache_dir: Some(cache_dir(config)),
    }
}

/// Adapters that come with the binary, then uploaded ones, with the activation that was last chosen.
async fn adapters(config: &Config, registry: &Arc<dyn Registry>) -> anyhow::Result<Arc<WasmHost>> {
    let options = host_options(config);
    let host = tokio::task::spawn_blocking(move || -> anyhow::Result<WasmHost> {
        let host = WasmHost::new(options).context("could not start the adapter engine")?;
        host.install_embedded().context("an adapter of this binary was refused")?;
        Ok(host)
    })
    .await
    .context("loading adapters panicked")??;
    let host = Arc::new(host);
    hermes_http_api::restore_adapters(registry, &(Arc::clone(&host) as Arc<dyn AdapterHost>))
        .await
        .context("could not load uploaded adapters")?;
    Ok(host)
}

fn cache_dir(config: &Config) -> PathBuf {
    config.wasm.cache_dir.clone().unwrap_or_else(|| config.store.data_dir.join("adapter-cache"))
}

/// How long a drain may take at most, whatever the configuration says.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adapters_are_allowed_the_same_with_a_configuration_and_without() {
        let config = Config::load(None, []).unwrap();
        let options = HostOptions { cache_dir: None, ..host_options(&config) };
        assert_eq!(options, HostOptions::default());
    }
}
