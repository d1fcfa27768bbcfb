//! The live tree, as operators see it.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use hermes_actor_cascade::{CascadeMsg, CascadesMsg, Shared};
use hermes_actor_provider::Gateway;
use hermes_actor_tenant::Tenants;
use hermes_actor_webhook::Webhooks;
use hermes_domain::{MessageId, TenantId};
use hermes_ports::{
    ActorTree,
    actor_tree::{ActorView, ParkedMessage},
};
use hermes_supervision::{ActorView as View, SupervisorMsg, ask};
use ractor::ActorRef;

/// How long the root may take to answer.
const ASK_LIMIT: Duration = Duration::from_secs(2);
/// Where the panic hook is asked for: the id with this suffix.
const PANIC_SUFFIX: &str = "!panic";

/// Looks into the tree.
pub(crate) struct Tree {
    pub(crate) root: ActorRef<SupervisorMsg>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) tenants: Tenants,
    pub(crate) gateway: Gateway,
    pub(crate) webhooks: Webhooks,
}

impl fmt::Debug for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tree").finish_non_exhaustive()
    }
}

#[async_trait]
impl ActorTree for Tree {
    async fn list(&self) -> Vec<ActorView> {
        let mut views = ask(&self.root, SupervisorMsg::Inspect, ASK_LIMIT).await.unwrap_or_default();
        let below = [
            self.tenants.inspect().await.unwrap_or_default(),
            self.gateway.inspect().await.unwrap_or_default(),
            self.webhooks.inspect().await.unwrap_or_default(),
        ];
        for mut view in below.into_iter().flatten() {
            match views.iter_mut().find(|known| known.id == view.id) {
                // The root knows how often its child was restarted, the child knows everything else.
                Some(known) => {
                    (view.parent, view.restarts) = (known.parent.take(), known.restarts);
                    view.last_error = known.last_error.take();
                    *known = view;
                }
                None => views.push(view),
            }
        }
        views.into_iter().map(port_view).collect()
    }

    async fn get(&self, id: &str) -> Option<ActorView> {
        if let Some(message) = message_of(id) {
            let actor = self.shared.running.get(message)?;
            return ask(&actor, CascadeMsg::Inspect, ASK_LIMIT).await.ok().map(port_view);
        }
        self.list().await.into_iter().find(|view| view.id == id)
    }

    async fn kill(&self, id: &str) -> bool {
        if let Some(message) = id.strip_suffix(PANIC_SUFFIX).and_then(message_of) {
            return self
                .shared
                .running
                .get(message)
                .is_some_and(|actor| actor.cast(CascadeMsg::Panic).is_ok());
        }
        if let Some(message) = message_of(id) {
            return self.shared.running.get(message).map(|actor| actor.kill()).is_some();
        }
        if let Some(tenant) = id.strip_prefix("tenant/").and_then(|id| id.parse::<TenantId>().ok()) {
            return self.tenants.kill(tenant).await.unwrap_or(false);
        }
        if let Some(tenant) = id.strip_prefix("cascades/").and_then(|id| id.parse::<TenantId>().ok()) {
            let cascades = self.tenants.known(tenant).and_then(|handle| handle.cascades().get());
            return cascades.map(|actor| actor.kill()).is_some();
        }
        if id.starts_with("provider/") {
            return self.gateway.kill(id.to_owned()).await.unwrap_or(false);
        }
        if id.starts_with("endpoint/") {
            return self.webhooks.kill(id.to_owned()).await.unwrap_or(false);
        }
        let name = id.to_owned();
        ask(&self.root, |reply| SupervisorMsg::Kill(name, reply), ASK_LIMIT).await.unwrap_or(false)
    }

    async fn parked(&self) -> Vec<ParkedMessage> {
        let mut all = Vec::new();
        for (_, handle) in self.tenants.all() {
            all.extend(handle.cascades().ask(CascadesMsg::Parked, ASK_LIMIT).await.unwrap_or_default());
        }
        all
    }

    async fn release(&self, tenant: TenantId, id: MessageId) -> bool {
        let Some(handle) = self.tenants.known(tenant) else { return false };
        let release = |reply| CascadesMsg::Release(id, reply);
        handle.cascades().ask(release, ASK_LIMIT).await.unwrap_or(false)
    }
}

fn message_of(id: &str) -> Option<MessageId> {
    id.strip_prefix("cascade/")?.parse().ok()
}

fn port_view(view: View) -> ActorView {
    ActorView {
        id: view.id,
        kind: view.kind,
        parent: view.parent,
        state: view.state,
        mailbox: view.mailbox,
        restarts: view.restarts,
        started_at_ms: view.started_at_ms,
        last_error: view.last_error,
        children: view.children,
        detail: view.detail,
    }
}
