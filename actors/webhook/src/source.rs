//! Where endpoints come from.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use hermes_directory::{Directory, DirectoryError};
use hermes_domain::{
    EndpointId, TenantId, UnixMillis,
    message::Mode,
    tenant::{DisableReason, Endpoint},
};
use hermes_ports::operational_events::Audience;
use tokio::sync::watch;

/// Where to send to, and what to sign with.
#[derive(Clone, PartialEq, Eq)]
pub struct Target {
    /// Whose endpoint it is.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
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
    /// Endpoints of an audience, in no particular order; disabled ones too.
    fn audience(&self, audience: Audience) -> Vec<Arc<Endpoint>>;
    /// Disables an endpoint.
    ///
    /// # Errors
    /// [`DisableError`]; nothing has changed.
    async fn disable(&self, id: EndpointId, reason: DisableReason) -> Result<(), DisableError>;
}

#[async_trait]
impl EndpointSource for Directory {
    fn target(&self, id: EndpointId, now: UnixMillis) -> Option<Target> {
        self.read(|snapshot| {
            let entry = snapshot.endpoint(id)?;
            Some(Target {
                tenant: entry.endpoint.tenant,
                mode: entry.endpoint.mode,
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

    fn audience(&self, audience: Audience) -> Vec<Arc<Endpoint>> {
        Self::audience(self, audience)
    }

    async fn disable(&self, id: EndpointId, reason: DisableReason) -> Result<(), DisableError> {
        self.disable_endpoint(id, reason).await.map_err(DisableError)
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Target").field("disabled", &self.disabled).finish_non_exhaustive()
    }
}
