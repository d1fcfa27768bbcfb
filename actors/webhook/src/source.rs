//! Where endpoints come from.

use std::fmt;

use async_trait::async_trait;
use hermes_directory::{Directory, DirectoryError};
use hermes_domain::{EndpointId, UnixMillis};
use tokio::sync::watch;

/// Where to send to, and what to sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// The tenant's URL.
    pub url: String,
    /// Nothing is sent while true.
    pub disabled: bool,
    /// Secrets of the form `whsec_<base64>`, the current one first; never empty.
    pub secrets: Vec<String>,
}

/// The endpoint could not be disabled.
#[derive(Debug, thiserror::Error)]
#[error("could not disable the endpoint")]
pub struct DisableError(#[source] pub DirectoryError);

/// What this crate needs from the directory. All but [`Self::disable`] answer from memory.
#[async_trait]
pub trait EndpointSource: Send + Sync + fmt::Debug {
    /// An endpoint as of now; `None` when it does not exist (any more).
    fn target(&self, id: EndpointId, now: UnixMillis) -> Option<Target>;
    /// Every endpoint, in no particular order.
    fn endpoints(&self) -> Vec<EndpointId>;
    /// Changes whenever an endpoint may have changed.
    fn subscribe(&self) -> watch::Receiver<u64>;
    /// Disables an endpoint: it said that it is gone.
    ///
    /// # Errors
    /// [`DisableError`]; nothing has changed.
    async fn disable(&self, id: EndpointId) -> Result<(), DisableError>;
}

#[async_trait]
impl EndpointSource for Directory {
    fn target(&self, id: EndpointId, now: UnixMillis) -> Option<Target> {
        self.read(|snapshot| {
            let entry = snapshot.endpoint(id)?;
            Some(Target {
                url: entry.endpoint.url.clone(),
                disabled: entry.endpoint.disabled,
                secrets: entry.secrets.active(now).map(str::to_owned).collect(),
            })
        })
    }

    fn endpoints(&self) -> Vec<EndpointId> {
        self.read(|snapshot| snapshot.endpoints().map(|entry| entry.endpoint.id).collect())
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        Self::subscribe(self)
    }

    async fn disable(&self, id: EndpointId) -> Result<(), DisableError> {
        self.set_endpoint_disabled(id, true).await.map_err(DisableError)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("disabled", &self.disabled).finish_non_exhaustive()
    }
}
