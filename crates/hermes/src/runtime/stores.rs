//! Which backend serves which port, as configured.

use std::{path::Path, sync::Arc};

use anyhow::Context as _;
use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_config::{Config, StoreKind};
use hermes_ports::{CascadeStore, Registry, clock::SystemClock};

use super::completion_log::Logged;

/// The stores of one process.
#[derive(Debug, Clone)]
pub(crate) struct Stores {
    /// Everything but, in a cluster, the cascades.
    pub(crate) embedded: Arc<EmbeddedBackend>,
    /// Where cascades live.
    pub(crate) cascades: Arc<dyn CascadeStore>,
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
    let options = EmbeddedOptions {
        commit_window: config.store.commit_window,
        clock: Arc::new(clock),
        ..EmbeddedOptions::new(&config.store.data_dir)
    };
    let embedded = EmbeddedBackend::open(options).await.context("could not open the store")?;
    let cascades: Arc<dyn CascadeStore> = match config.store.kind {
        StoreKind::Embedded => Arc::clone(&embedded) as _,
        StoreKind::Nats => super::stores::nats(config, &embedded).await?,
    };
    let cascades = match std::env::var_os("HERMES_COMPLETION_LOG") {
        Some(path) => Logged::start(cascades, Arc::new(clock), Path::new(&path))?,
        None => cascades,
    };
    Ok(Stores { embedded, cascades })
}
