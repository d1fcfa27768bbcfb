//! Starts the tree and hands out the ports that it implements.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use hermes_actor_cascade::{CascadeOptions, CascadePorts, LaneLimits, Shared};
use hermes_actor_provider::{Gateway, ListPorts, Lists, Options as GatewayOptions, Ports as GatewayPorts};
use hermes_actor_tenant::Tenants;
use hermes_actor_webhook::{Options as WebhookOptions, Ports as WebhookPorts, Webhooks};
use hermes_directory::Directory;
use hermes_ports::{
    ActorTree, CascadeInbox, CascadeStore, Clock, Egress, ListSync, MessageIntake, OperationalEvents, Outbox,
    ProviderGateway, ProviderLists, ReceiptInbox, Suppressions, Upkeep, adapter::AdapterHost,
    clock::SystemClock, outbox::WebhookNotifier,
};
use hermes_supervision::{
    Address, Backoff, ChildSpec, GaveUp, RestartBudget, StaticSupervisor, SupervisorMsg, ask,
    static_supervisor::{RestartPolicy, Supervised},
};
use ractor::ActorRef;
use tokio::sync::watch;
use tracing::warn;

use crate::{
    deadlines_actor::DeadlinesActor, inbox::Inbox, intake::Intake, recovery_actor::RecoveryActor, tree::Tree,
    upkeep_actor::UpkeepActor, wake::Waker,
};

/// Restarts of the root's children that are tolerated within [`BUDGET_WINDOW`]; then the process exits.
const BUDGET: usize = 5;
const BUDGET_WINDOW: Duration = Duration::from_secs(60);

/// What the tree needs from the outside.
#[derive(Clone, Debug)]
pub struct SystemPorts {
    /// Where cascades live.
    pub store: Arc<dyn CascadeStore>,
    /// Where webhooks wait.
    pub outbox: Arc<dyn Outbox>,
    /// Where receipts are parked.
    pub receipts: Arc<dyn ReceiptInbox>,
    /// Whom not to write to.
    pub suppressions: Arc<dyn Suppressions>,
    /// What the lists of providers are owed.
    pub lists: Arc<dyn ProviderLists>,
    /// Housekeeping of the backend.
    pub upkeep: Arc<dyn Upkeep>,
    /// Tenants, connections, endpoints.
    pub directory: Arc<Directory>,
    /// The HTTP client.
    pub egress: Arc<dyn Egress>,
    /// The time.
    pub clock: SystemClock,
}

/// Settings of the tree.
#[derive(Clone, Debug)]
pub struct SystemOptions {
    /// Settings of cascades.
    pub cascades: CascadeOptions,
    /// Messages on their way, per tenant and lane.
    pub lanes: LaneLimits,
    /// Settings of provider connections.
    pub gateway: GatewayOptions,
    /// Settings of webhook endpoints.
    pub webhooks: WebhookOptions,
}

/// The tree could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A constant of this file is out of range.
    #[error("the restart backoff is invalid")]
    Backoff(#[source] hermes_supervision::InvalidBackoff),
    /// The root could not be spawned.
    #[error("the root actor could not be spawned")]
    Spawn(#[source] Box<ractor::SpawnErr>),
}

/// The running tree.
#[derive(Debug)]
pub struct HermesSystem {
    root: ActorRef<SupervisorMsg>,
    ended: watch::Receiver<Option<Result<(), GaveUp>>>,
    shared: Arc<Shared>,
    tenants: Tenants,
    gateway: Gateway,
    webhooks: Webhooks,
    lists: Lists,
    recovered: Arc<AtomicBool>,
}

impl HermesSystem {
    /// Starts the tree: tenants first, so that recovery finds them.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub async fn start(
        ports: SystemPorts,
        host: Arc<dyn AdapterHost>,
        options: SystemOptions,
    ) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(ports.clock);
        let webhook_ports = WebhookPorts {
            outbox: Arc::clone(&ports.outbox),
            egress: Arc::clone(&ports.egress),
            endpoints: Arc::clone(&ports.directory) as _,
            clock: Arc::clone(&clock),
        };
        let webhooks = Webhooks::new(webhook_ports, options.webhooks);
        let gateway_options = options.gateway.clone();
        let gateway = Gateway::new(
            GatewayPorts {
                host: Arc::clone(&host),
                egress: Arc::clone(&ports.egress),
                receipts: Arc::clone(&ports.receipts),
                events: Arc::new(webhooks.clone()),
                connections: Arc::clone(&ports.directory) as _,
                clock: Arc::clone(&clock),
            },
            options.gateway,
        );
        let lists = lists(&ports, &gateway, host, &gateway_options);
        let cascade_ports = CascadePorts {
            store: Arc::clone(&ports.store),
            gateway: Arc::new(gateway.clone()),
            suppressions: Arc::clone(&ports.suppressions),
            directory: Arc::clone(&ports.directory),
            notifier: Arc::new(webhooks.clone()),
            clock,
        };
        let shared = Arc::new(Shared::new(cascade_ports, options.cascades));
        let tenants = Tenants::new(Arc::clone(&shared), options.lanes);
        let inbox = Inbox { shared: Arc::clone(&shared), tenants: tenants.clone() };
        gateway.bind(Arc::new(inbox.clone()));
        let recovered = Arc::new(AtomicBool::new(false));
        let children = children(
            &shared,
            &inbox,
            &recovered,
            &ports,
            [tenants.supervisor(), gateway.supervisor(), webhooks.supervisor(), lists.supervised()],
        );
        let backoff = Backoff::try_new(Duration::from_millis(50), Duration::from_secs(2))
            .map_err(StartError::Backoff)?;
        let budget = RestartBudget::new(BUDGET, BUDGET_WINDOW, backoff);
        let root = StaticSupervisor::start("root", budget, children)
            .await
            .map_err(|cause| StartError::Spawn(Box::new(cause)))?;
        let (root, ended) = watched(root);
        Ok(Self { root, ended, shared, tenants, gateway, webhooks, lists, recovered })
    }

    /// Where messages come in.
    pub fn intake(&self) -> Arc<dyn MessageIntake> {
        Arc::new(Intake(self.tenants.clone()))
    }

    /// Where events for messages come in.
    pub fn inbox(&self) -> Arc<dyn CascadeInbox> {
        Arc::new(Inbox { shared: Arc::clone(&self.shared), tenants: self.tenants.clone() })
    }

    /// Provider connections.
    pub fn gateway(&self) -> Arc<dyn ProviderGateway> {
        Arc::new(self.gateway.clone())
    }

    /// Synchronises the suppression lists of providers on demand.
    pub fn lists(&self) -> Arc<dyn ListSync> {
        Arc::new(self.lists.clone())
    }

    /// Tells endpoints' actors of deliveries that are owed.
    pub fn notifier(&self) -> Arc<dyn WebhookNotifier> {
        Arc::new(self.webhooks.clone())
    }

    /// Tells tenants' endpoints of events about their service.
    pub fn events(&self) -> Arc<dyn OperationalEvents> {
        Arc::new(self.webhooks.clone())
    }

    /// The receipt inbox that whoever parks receipts must use.
    pub fn receipts(&self) -> Arc<dyn ReceiptInbox> {
        self.gateway.receipts()
    }

    /// The live tree.
    pub fn tree(&self) -> Arc<dyn ActorTree> {
        Arc::new(Tree {
            root: self.root.clone(),
            shared: Arc::clone(&self.shared),
            tenants: self.tenants.clone(),
            gateway: self.gateway.clone(),
            webhooks: self.webhooks.clone(),
        })
    }

    /// Set once every message that was open at boot is back in memory.
    pub fn has_recovered(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.recovered)
    }

    /// Returns when the root has given up: the process should exit.
    ///
    /// # Errors
    /// Why it gave up; `Ok` after a shutdown.
    pub async fn ended(&self) -> Result<(), GaveUp> {
        let mut ended = self.ended.clone();
        let outcome = ended.wait_for(Option::is_some).await.map(|outcome| outcome.clone());
        outcome.ok().flatten().unwrap_or(Ok(()))
    }

    /// Lets running calls finish within `limit`, then stops the tree. Nothing is lost: whatever still
    /// runs is on record and goes on after the next start.
    pub async fn drain(&self, limit: Duration) {
        let left = self.gateway.shut_down(limit / 2).await;
        if left > 0 {
            warn!(calls = left, "provider calls were still running when the process had to stop");
        }
        let limit_each = limit / 16;
        let stop = |done| SupervisorMsg::Shutdown { limit_each, done };
        if let Err(cause) = ask(&self.root, stop, limit / 2).await {
            warn!(error = %cause, "the tree did not stop in time");
        }
    }
}

fn lists(
    ports: &SystemPorts,
    gateway: &Gateway,
    host: Arc<dyn AdapterHost>,
    options: &GatewayOptions,
) -> Lists {
    let list_ports = ListPorts {
        store: Arc::clone(&ports.lists),
        gateway: Arc::new(gateway.clone()),
        host,
        connections: Arc::clone(&ports.directory) as _,
        clock: Arc::new(ports.clock),
    };
    Lists::new(list_ports, options)
}

/// Watches the root from a task, so that many can ask how it ended.
fn watched(root: Supervised) -> (ActorRef<SupervisorMsg>, watch::Receiver<Option<Result<(), GaveUp>>>) {
    let actor = root.actor.clone();
    let (tell, ended) = watch::channel(None);
    tokio::spawn(async move { tell.send_replace(Some(root.ended().await)) });
    (actor, ended)
}

fn children(
    shared: &Arc<Shared>,
    inbox: &Inbox,
    recovered: &Arc<AtomicBool>,
    ports: &SystemPorts,
    supervisors: [ChildSpec; 4],
) -> Vec<ChildSpec> {
    let waker = Waker::new(inbox.clone());
    let deadlines = {
        let (shared, waker) = (Arc::clone(shared), waker.clone());
        let make = move || (DeadlinesActor { shared: Arc::clone(&shared), waker: waker.clone() }, ());
        ChildSpec::new("deadlines", RestartPolicy::Always, Address::vacant(), make)
    };
    let recovery = {
        let (shared, done) = (Arc::clone(shared), Arc::clone(recovered));
        let make = move || {
            let (shared, done) = (Arc::clone(&shared), Arc::clone(&done));
            (RecoveryActor { shared, waker: waker.clone(), done }, ())
        };
        ChildSpec::new("recovery", RestartPolicy::Always, Address::vacant(), make)
    };
    let upkeep = {
        let (upkeep, clock) = (Arc::clone(&ports.upkeep), ports.clock);
        let make = move || (UpkeepActor { upkeep: Arc::clone(&upkeep), clock }, ());
        ChildSpec::new("projector", RestartPolicy::Always, Address::vacant(), make)
    };
    supervisors.into_iter().chain([deadlines, recovery, upkeep]).collect()
}
