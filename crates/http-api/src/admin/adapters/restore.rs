//! Uploaded adapters and the last activations, after a restart.

use std::sync::Arc;

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::{Registry, StoreError, adapter::AdapterHost, registry::RecordKind};
use tracing::warn;

/// Why adapters could not be restored.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// The registry failed.
    #[error("the registry failed")]
    Store(#[from] StoreError),
}

/// Installs every uploaded component and activates what was last chosen. Call it once the adapters that
/// come with the binary are installed.
///
/// A component or choice that is no longer valid is logged and left out: the other adapters must serve.
///
/// # Errors
/// `Store`.
pub async fn restore(
    registry: &Arc<dyn Registry>,
    adapters: &Arc<dyn AdapterHost>,
) -> Result<(), RestoreError> {
    for record in registry.all(RecordKind::AdapterComponent).await? {
        let Some((name, _)) = record.id.rsplit_once('@') else { continue };
        let (host, name, component) = (Arc::clone(adapters), name.to_owned(), record.body.clone());
        let installed = tokio::task::spawn_blocking(move || host.install(&name, &component)).await;
        if !matches!(installed, Ok(Ok(_))) {
            warn!(adapter.record = record.id, "an uploaded adapter is no longer valid and is left out");
        }
    }
    for record in registry.all(RecordKind::AdapterActive).await? {
        let version =
            std::str::from_utf8(&record.body).ok().and_then(|text| text.parse::<AdapterVersion>().ok());
        let activated = version.map(|version| adapters.activate(&record.id, version));
        if !matches!(activated, Some(Ok(_))) {
            warn!(
                adapter.name = record.id,
                "the chosen version of an adapter is not there; the default serves"
            );
        }
    }
    Ok(())
}
