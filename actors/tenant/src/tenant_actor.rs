//! A tenant's actor: it exists so that its cascades' supervisor has a parent of its own.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use hermes_actor_cascade::{CascadesSupervisor, Shared};
use hermes_domain::{TenantId, message::Lane};
use hermes_supervision::{ActorView, Exit, answer, unix_millis};
use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tracing::warn;

use crate::handle::TenantHandle;

/// What a tenant's actor can be told.
#[derive(Debug)]
pub(crate) enum TenantMsg {
    /// Asks for its view.
    Inspect(RpcReplyPort<ActorView>),
}

/// The actor.
#[derive(Debug)]
pub(crate) struct TenantActor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tenant: TenantId,
    pub(crate) handle: TenantHandle,
}

/// Its state.
#[derive(Debug)]
pub(crate) struct State {
    cascades: Option<ActorCell>,
    restarts: u32,
    last_restart: Option<Instant>,
    started_at_ms: u64,
}

impl TenantActor {
    async fn start_cascades(&self, me: &ActorRef<TenantMsg>) -> Result<ActorCell, ActorProcessingErr> {
        let TenantHandle { admission, cascades, mailbox } = self.handle.clone();
        let supervisor = CascadesSupervisor::new(Arc::clone(&self.shared), self.tenant, admission, mailbox);
        // Its `pre_start` only sets a timer, so waiting for it is no I/O.
        let (actor, _) = Actor::spawn_linked(None, supervisor, (), me.get_cell()).await?;
        cascades.set(actor.clone());
        Ok(actor.get_cell())
    }

    fn view(&self, state: &State) -> ActorView {
        let mut view = ActorView::new(format!("tenant/{}", self.tenant), "tenant", "running");
        view.parent = Some("tenants".to_owned());
        view.restarts = state.restarts;
        view.started_at_ms = state.started_at_ms;
        view.children = vec![CascadesSupervisor::id(self.tenant)];
        let lane = |lane: Lane| {
            let admission = &self.handle.admission;
            (
                lane.as_str().to_owned(),
                serde_json::json!({ "on_their_way": admission.on_their_way(lane), "limit": admission.limit(lane) }),
            )
        };
        view.detail = serde_json::Value::Object(Lane::ALL.into_iter().map(lane).collect());
        view
    }
}

impl Actor for TenantActor {
    type Msg = TenantMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<TenantMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        Ok(State {
            cascades: None,
            restarts: 0,
            last_restart: None,
            started_at_ms: unix_millis(SystemTime::now()),
        })
    }

    async fn post_start(&self, me: ActorRef<TenantMsg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        state.cascades = Some(self.start_cascades(&me).await?);
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<TenantMsg>,
        message: TenantMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            TenantMsg::Inspect(reply) => answer(reply, self.view(state)),
        }
        Ok(())
    }

    /// The supervisor of cascades is restarted here; one that fails twice within a second takes this
    /// actor along, whose own supervisor slows the restarts down.
    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<TenantMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let Some((actor, exit)) = Exit::classify(&event) else { return Ok(()) };
        if state.cascades.as_ref().is_none_or(|cascades| cascades.get_id() != actor) {
            return Ok(());
        }
        warn!(tenant.id = %self.tenant, exit = %exit, "supervisor of cascades ended, restarting");
        let now = Instant::now();
        let too_soon = state.last_restart.is_some_and(|last| now.duration_since(last).as_secs() < 1);
        if too_soon {
            return Err("the supervisor of cascades failed twice within a second".into());
        }
        (state.last_restart, state.restarts) = (Some(now), state.restarts + 1);
        state.cascades = Some(self.start_cascades(&me).await?);
        self.shared.lost_some.notify_one();
        Ok(())
    }
}
