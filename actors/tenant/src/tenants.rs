//! The supervisor of all tenants.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use hermes_actor_cascade::{Admission, CascadesMsg, Shared};
use hermes_domain::TenantId;
use hermes_supervision::{ActorView, Address, ChildTable, Exit, answer, ask, unix_millis};
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime, RpcReplyPort, SupervisionEvent};
use tracing::warn;

use crate::{
    handle::{TenantHandle, Tenants},
    tenant_actor::{TenantActor, TenantMsg},
};

/// Pause before a tenant that ended is started again.
const RESTART_AFTER: Duration = Duration::from_millis(200);
/// How long one actor may take to show itself.
const VIEW_LIMIT: Duration = Duration::from_millis(800);

/// What the supervisor can be told.
#[derive(Debug)]
pub enum TenantsMsg {
    /// Starts a tenant unless it runs, and answers with its handle.
    Ensure(TenantId, RpcReplyPort<TenantHandle>),
    /// Asks for the views of everything below.
    Inspect(RpcReplyPort<Vec<ActorView>>),
    /// Kills a tenant's actor.
    Kill(TenantId, RpcReplyPort<bool>),
    /// A delayed restart is due. Sent by the supervisor to itself.
    #[doc(hidden)]
    Restart(TenantId),
    /// Messages of an earlier incarnation are to be recovered. Sent by the supervisor to itself.
    #[doc(hidden)]
    LostAll,
}

/// The actor.
#[derive(Debug)]
pub struct TenantsSupervisor {
    shared: Arc<Shared>,
    tenants: Tenants,
}

/// Its state.
#[derive(Debug)]
pub struct State {
    children: ChildTable<TenantId, TenantMsg>,
    started_at_ms: u64,
}

impl TenantsSupervisor {
    pub(crate) const fn new(shared: Arc<Shared>, tenants: Tenants) -> Self {
        Self { shared, tenants }
    }

    /// A tenant's handle outlives its actors: what it counts is still on its way.
    fn handle_of(&self, tenant: TenantId) -> TenantHandle {
        let make = || TenantHandle {
            admission: Admission::new(self.tenants.limits),
            cascades: Address::vacant(),
            mailbox: self.tenants.open_mailbox(),
        };
        self.tenants.handles.entry(tenant).or_insert_with(make).clone()
    }

    fn start(&self, me: &ActorRef<TenantsMsg>, state: &mut State, tenant: TenantId) {
        if state.children.get(&tenant).is_some() {
            return;
        }
        let actor = TenantActor { shared: Arc::clone(&self.shared), tenant, handle: self.handle_of(tenant) };
        let generation = state.children.next_generation();
        match ActorRuntime::spawn_linked_instant(None, actor, (), me.get_cell()) {
            Ok((child, _)) => drop(state.children.insert(tenant, generation, child, ())),
            Err(cause) => warn!(tenant.id = %tenant, error = %cause, "a tenant could not be started"),
        }
    }

    fn inspect(&self, state: &State, reply: RpcReplyPort<Vec<ActorView>>) {
        let mut own = ActorView::new("tenants", "tenants", "running");
        own.parent = Some("root".to_owned());
        own.started_at_ms = state.started_at_ms;
        own.children = state.children.iter().map(|(tenant, _)| format!("tenant/{tenant}")).collect();
        let asked: Vec<_> = state
            .children
            .iter()
            .map(|(tenant, child)| (child.actor().clone(), self.handle_of(*tenant).cascades()))
            .collect();
        tokio::spawn(async move {
            let mut views = vec![own];
            for (tenant, cascades) in asked {
                views.extend(ask(&tenant, TenantMsg::Inspect, VIEW_LIMIT).await.ok());
                views.extend(cascades.ask(CascadesMsg::Inspect, VIEW_LIMIT).await.unwrap_or_default());
            }
            answer(reply, views);
        });
    }
}

impl Actor for TenantsSupervisor {
    type Msg = TenantsMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<TenantsMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        if !self.tenants.handles.is_empty() {
            // An earlier incarnation took every tenant's actors with it. Those who bring them back need our address.
            me.send_after(RESTART_AFTER, || TenantsMsg::LostAll);
        }
        Ok(State { children: ChildTable::new(), started_at_ms: unix_millis(SystemTime::now()) })
    }

    async fn handle(
        &self,
        me: ActorRef<TenantsMsg>,
        message: TenantsMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TenantsMsg::Ensure(tenant, reply) => {
                self.start(&me, state, tenant);
                let handle = self.handle_of(tenant);
                tokio::spawn(async move {
                    // The address is set by the tenant's own start, a moment from now.
                    while handle.cascades.living().is_none() && !reply.is_closed() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    answer(reply, handle);
                });
            }
            TenantsMsg::Restart(tenant) => {
                self.start(&me, state, tenant);
                self.shared.lost_some.notify_one();
            }
            TenantsMsg::LostAll => self.shared.lost_some.notify_one(),
            TenantsMsg::Kill(tenant, reply) => {
                let running = state.children.get(&tenant).map(|child| child.actor().kill());
                answer(reply, running.is_some());
            }
            TenantsMsg::Inspect(reply) => self.inspect(state, reply),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<TenantsMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let Some((actor, exit)) = Exit::classify(&event) else { return Ok(()) };
        if let Some((tenant, _)) = state.children.exited(actor) {
            warn!(tenant.id = %tenant, exit = %exit, "tenant ended, restarting");
            me.send_after(RESTART_AFTER, move || TenantsMsg::Restart(tenant));
        }
        Ok(())
    }
}
