//! The handle through which durable notifications reach their endpoints.

use std::{sync::Arc, time::Duration};

use hermes_domain::EndpointId;
use hermes_ports::{
    Clock, Egress, Outbox,
    outbox::{OutboxEntry, WebhookNotifier},
};
use hermes_supervision::{
    ActorView, Address, AskError, ChildSpec, MailboxKind, static_supervisor::RestartPolicy,
};

use crate::{
    options::Options,
    shared::Shared,
    source::EndpointSource,
    supervisor::{WebhooksMsg, WebhooksSupervisor},
};

/// How long the supervisor may take to answer an operator.
const ASK_LIMIT: Duration = Duration::from_secs(2);

/// What webhooks need from the outside.
#[derive(Clone, Debug)]
pub struct Ports {
    /// What is owed.
    pub outbox: Arc<dyn Outbox>,
    /// Sends the requests.
    pub egress: Arc<dyn Egress>,
    /// Where endpoints come from.
    pub endpoints: Arc<dyn EndpointSource>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
}

/// Reaches every endpoint. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    shared: Arc<Shared>,
}

impl Webhooks {
    /// Webhooks with the limits of the API's contract.
    pub fn new(ports: Ports, options: Options) -> Self {
        Self { shared: Arc::new(Shared::new(ports, options)) }
    }

    /// How to start the supervisor of all endpoints, for the root.
    pub fn supervisor(&self) -> ChildSpec {
        let shared = Arc::clone(&self.shared);
        let make = move || (WebhooksSupervisor, Arc::clone(&shared));
        ChildSpec::new("webhooks", RestartPolicy::Always, self.address(), make)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Where the supervisor lives.
    pub fn address(&self) -> Address<WebhooksMsg> {
        self.shared.supervisor.clone()
    }

    /// Views of the supervisor and of every endpoint's actor.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn inspect(&self) -> Result<Vec<ActorView>, AskError> {
        self.shared.supervisor.ask(WebhooksMsg::Inspect, ASK_LIMIT).await
    }

    /// Kills the actor called `id` (`endpoint/whk_…`); answers whether it was running.
    ///
    /// # Errors
    /// When the supervisor is not there or busy.
    pub async fn kill(&self, id: String) -> Result<bool, AskError> {
        self.shared.supervisor.ask(|reply| WebhooksMsg::Kill(id, reply), ASK_LIMIT).await
    }

    /// How many messages wait in the mailboxes of endpoints' actors.
    pub fn mailboxes(&self) -> MailboxKind {
        self.shared.mailboxes.clone()
    }

    /// Waits at most `limit` for tries under way to be recorded; returns how many are left. Those are tried
    /// again after the next start. Call it after the supervisor has stopped, which begins new ones.
    pub async fn shut_down(&self, limit: Duration) -> usize {
        self.shared.tasks.close();
        let _ = tokio::time::timeout(limit, self.shared.tasks.wait()).await; // The number tells.
        self.shared.tasks.len()
    }
}

impl WebhookNotifier for Webhooks {
    fn notify(&self, entries: Vec<OutboxEntry>) {
        let mut entries = entries.into_iter().peekable();
        while let Some(first) = entries.next() {
            let endpoint = first.endpoint;
            let mut group = vec![first];
            while let Some(entry) = entries.next_if(|entry| entry.endpoint == endpoint) {
                group.push(entry);
            }
            match self.shared.seat(endpoint) {
                Some(seat) => seat.announce(group),
                // Its actor reads the outbox when it starts, and these are durable.
                None => self.shared.look(endpoint),
            }
        }
    }

    fn look(&self, endpoint: EndpointId) {
        self.shared.look(endpoint);
    }
}

#[cfg(test)]
mod tests;
