//! Which backend serves which port, as configured.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use hermes_backend_cluster::{ClusterOptions, CompanionRest, NatsCascadeStore, NatsErasure, NatsRetention};
use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_config::{Config, StoreKind};
use hermes_ports::{CascadeStore, Erasure, Registry, Retain, clock::SystemClock};
use hermes_sealing::Cipher;

use super::{completion_log::Logged, keys};

/// The stores of one process.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    /// Everything but, in a cluster, the cascades.
    pub(crate) embedded: Arc<EmbeddedBackend>,
    /// Where cascades live.
    pub(crate) cascades: Arc<dyn CascadeStore>,
    /// Makes recipients unreadable, wherever cascades live.
    pub(crate) erasure: Arc<dyn Erasure>,
    /// Lets go of what was kept long enough, wherever cascades live.
    pub(crate) retention: Arc<dyn Retain>,
}

impl Stores {
    /// Where tenants, keys and connections live.
    pub(crate) fn registry(&self) -> Arc<dyn Registry> {
        Arc::clone(&self.embedded) as _
    }

    /// Finishes what is queued and closes.
    pub(crate) async fn close(&self) {
        self.embedded.close().await;
    }
}

/// Opens the configured stores.
///
/// # Errors
/// When another process has the data directory open, or a backend cannot be reached.
pub(crate) async fn open_stores(config: &Config, clock: SystemClock) -> anyhow::Result<Stores> {
    let keys = keys::keys(config)?;
    let credentials = Cipher::new(&keys.credentials_key, keys.previous_credentials_key.as_ref());
    let options = EmbeddedOptions {
        commit_window: config.store.commit_window,
        clock: Arc::new(clock),
        credentials: Arc::new(credentials),
        ..EmbeddedOptions::new(&config.store.data_dir)
    };
    let embedded = EmbeddedBackend::open(options).await.context("could not open the store")?;
    let mut stores = match config.store.kind {
        StoreKind::Embedded => Stores {
            cascades: Arc::clone(&embedded) as _,
            erasure: Arc::clone(&embedded) as _,
            retention: Arc::clone(&embedded) as _,
            embedded,
        },
        StoreKind::Nats => nats(config, embedded, clock).await?,
    };
    if let Some(path) = std::env::var_os("HERMES_COMPLETION_LOG") {
        stores.cascades = Logged::start(stores.cascades, Arc::new(clock), Path::new(&path))?;
    }
    Ok(stores)
}

/// Cascades on NATS; data keys, claims, webhooks and the log stay in the embedded database beside them.
async fn nats(config: &Config, embedded: Arc<EmbeddedBackend>, clock: SystemClock) -> anyhow::Result<Stores> {
    let nats = &config.store.nats;
    let url = nats.url.as_ref().context("store.nats.url is not set")?;
    let options = ClusterOptions {
        buckets: u8::try_from(nats.buckets.get()).context("store.nats.buckets must be at most 255")?,
        replicas: nats.replicas,
        clock: Arc::new(clock),
        ..ClusterOptions::default()
    };
    let rest = Arc::new(CompanionRest::new(Arc::clone(&embedded) as _, Arc::clone(&embedded) as _));
    let store = NatsCascadeStore::connect(url.expose(), options, rest, Arc::clone(&embedded) as _)
        .await
        .context("could not open the store on NATS")?;
    Ok(Stores {
        erasure: Arc::new(NatsErasure::new(Arc::clone(&store), Arc::clone(&embedded) as _)),
        retention: Arc::new(NatsRetention::new(Arc::clone(&store), Arc::clone(&embedded) as _)),
        cascades: store,
        embedded,
    })
}
