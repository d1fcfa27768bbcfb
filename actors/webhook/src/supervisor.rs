//! The supervisor of all endpoints.

use std::time::{Duration, SystemTime};

use hermes_domain::EndpointId;
use hermes_supervision::{ActorView, ChildTable, Exit, answer, ask, unix_millis};
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime, RpcReplyPort, SupervisionEvent};
use tracing::warn;

use crate::{
    endpoint_actor::{EndpointActor, EndpointMsg},
    webhooks::Webhooks,
};

/// Pause before an endpoint that ended is started again.
const RESTART_AFTER: Duration = Duration::from_millis(500);
/// How often new endpoints are looked for.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long one actor may take to show itself.
const VIEW_LIMIT: Duration = Duration::from_millis(500);

/// What the supervisor can be told.
#[derive(Debug)]
pub enum WebhooksMsg {
    /// An endpoint has something to deliver.
    Ensure(EndpointId),
    /// Time to look for endpoints that do not run. Sent by the supervisor to itself.
    #[doc(hidden)]
    Look,
    /// Asks for the views of the supervisor and of its children.
    Inspect(RpcReplyPort<Vec<ActorView>>),
    /// Kills the child of this id; answers whether it was running.
    Kill(String, RpcReplyPort<bool>),
}

/// The actor.
#[derive(Debug)]
pub(crate) struct WebhooksSupervisor(pub(crate) Webhooks);

/// Its state.
#[derive(Debug)]
pub(crate) struct State {
    children: ChildTable<EndpointId, EndpointMsg>,
    generation_seen: u64,
    started_at_ms: u64,
}

impl WebhooksSupervisor {
    fn start(&self, me: &ActorRef<WebhooksMsg>, state: &mut State, endpoint: EndpointId) {
        if state.children.get(&endpoint).is_some() || self.0.ports.endpoints.endpoint(endpoint).is_none() {
            return;
        }
        let actor = EndpointActor { ports: self.0.ports.clone(), endpoint };
        let generation = state.children.next_generation();
        match ActorRuntime::spawn_linked_instant(None, actor, (), me.get_cell()) {
            Ok((child, _)) => {
                self.0.running.insert(endpoint, child.clone());
                state.children.insert(endpoint, generation, child, ());
            }
            Err(cause) => warn!(endpoint.id = %endpoint, error = %cause, "an endpoint could not be started"),
        }
    }

    /// Starts every endpoint that exists: it may have something pending from before.
    fn look(&self, me: &ActorRef<WebhooksMsg>, state: &mut State) {
        let generation = *self.0.ports.endpoints.subscribe().borrow() + 1;
        if generation == state.generation_seen {
            return;
        }
        state.generation_seen = generation;
        let all: Vec<EndpointId> =
            self.0.ports.endpoints.read(|snapshot| snapshot.endpoints().map(|entry| entry.endpoint.id).collect());
        for endpoint in all {
            self.start(me, state, endpoint);
        }
    }

    fn view(&self, state: &State) -> ActorView {
        let mut view = ActorView::new("webhooks", "webhooks", "running");
        view.parent = Some("root".to_owned());
        view.started_at_ms = state.started_at_ms;
        view.children = state.children.iter().map(|(endpoint, _)| format!("endpoint/{endpoint}")).collect();
        view
    }
}

impl Actor for WebhooksSupervisor {
    type Msg = WebhooksMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<WebhooksMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        me.send_interval(LOOK_EVERY, || WebhooksMsg::Look);
        let started_at_ms = unix_millis(SystemTime::now());
        Ok(State { children: ChildTable::new(), generation_seen: 0, started_at_ms })
    }

    async fn post_start(&self, me: ActorRef<WebhooksMsg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        self.look(&me, state);
        Ok(())
    }

    async fn handle(
        &self,
        me: ActorRef<WebhooksMsg>,
        message: WebhooksMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WebhooksMsg::Ensure(endpoint) => self.start(&me, state, endpoint),
            WebhooksMsg::Look => self.look(&me, state),
            WebhooksMsg::Kill(id, reply) => {
                let endpoint = id.strip_prefix("endpoint/").and_then(|id| id.parse().ok());
                let child = endpoint.and_then(|endpoint| state.children.get(&endpoint));
                answer(reply, child.map(|child| child.actor().kill()).is_some());
            }
            WebhooksMsg::Inspect(reply) => {
                let own = self.view(state);
                let actors: Vec<_> = state.children.iter().map(|(_, child)| child.actor().clone()).collect();
                tokio::spawn(async move {
                    let mut views = vec![own];
                    for actor in actors {
                        views.extend(ask(&actor, EndpointMsg::Inspect, VIEW_LIMIT).await.ok());
                    }
                    answer(reply, views);
                });
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<WebhooksMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let Some((actor, exit)) = Exit::classify(&event) else { return Ok(()) };
        if let Some((endpoint, _)) = state.children.exited(actor) {
            self.0.running.remove_if(&endpoint, |_, current| current.get_id() == actor);
            if exit.is_fault() {
                warn!(endpoint.id = %endpoint, exit = %exit, "endpoint ended, restarting");
                me.send_after(RESTART_AFTER, move || WebhooksMsg::Ensure(endpoint));
            }
        }
        Ok(())
    }
}
