//! The handle through which others reach endpoints.

use std::{fmt, sync::Arc, time::Duration};

use dashmap::DashMap;
use hermes_directory::Directory;
use hermes_domain::EndpointId;
use hermes_ports::{
    Clock, Egress, Outbox,
    outbox::{OutboxEntry, WebhookNotifier},
};
use hermes_supervision::{ActorView, Address, AskError, ChildSpec, static_supervisor::RestartPolicy};
use ractor::ActorRef;

use crate::{
    endpoint_actor::EndpointMsg,
    supervisor::{WebhooksMsg, WebhooksSupervisor},
};

/// How long the supervisor may take to answer an operator.
const ASK_LIMIT: Duration = Duration::from_secs(2);

/// What endpoints need from the outside.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Where notifications wait.
    pub outbox: Arc<dyn Outbox>,
    /// The HTTP client.
    pub egress: Arc<dyn Egress>,
    /// Endpoints and their secrets.
    pub endpoints: Arc<Directory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Reaches every endpoint. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    pub(crate) ports: Ports,
    pub(crate) running: Arc<DashMap<EndpointId, ActorRef<EndpointMsg>>>,
    supervisor: Address<WebhooksMsg>,
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Webhooks").field("running", &self.running.len()).finish_non_exhaustive()
    }
}

impl Webhooks {
    /// No endpoint runs.
    pub fn new(ports: Ports) -> Self {
        Self { ports, running: Arc::default(), supervisor: Address::vacant() }
    }

    /// How to start the supervisor of all endpoints, for the root.
    pub fn supervisor(&self) -> ChildSpec {
        let webhooks = self.clone();
        let make = move || (WebhooksSupervisor(webhooks.clone()), ());
        ChildSpec::new("webhooks", RestartPolicy::Always, self.supervisor.clone(), make)
    }

    /// Views of the supervisor and of every endpoint's actor.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn inspect(&self) -> Result<Vec<ActorView>, AskError> {
        self.supervisor.ask(WebhooksMsg::Inspect, ASK_LIMIT).await
    }

    /// Kills the actor called `id` (`endpoint/whk_…`); answers whether it was running.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn kill(&self, id: String) -> Result<bool, AskError> {
        self.supervisor.ask(|reply| WebhooksMsg::Kill(id, reply), ASK_LIMIT).await
    }
}

impl WebhookNotifier for Webhooks {
    fn notify(&self, entries: Vec<OutboxEntry>) {
        for entry in entries {
            let endpoint = entry.endpoint;
            let actor = self.running.get(&endpoint).map(|actor| actor.value().clone());
            let told = actor.is_some_and(|actor| actor.cast(EndpointMsg::Owed(entry)).is_ok());
            if !told {
                // It reads the outbox when it starts; a supervisor that is not there does so at its own start.
                let _ = self.supervisor.cast(WebhooksMsg::Ensure(endpoint));
            }
        }
    }
}
