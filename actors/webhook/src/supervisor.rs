//! The supervisor of all endpoints: one actor each, restarted within a budget.
//!
//! An endpoint whose actor fails again and again rests for a while, alone; what it is owed stays in the
//! outbox.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::future::join_all;
use hermes_domain::EndpointId;
use hermes_supervision::{
    ActorView, Backoff, Cause, ChildTable, Exit, RestartBudget, answer, ask, error_chain, reason,
    restart_budget::Verdict, unix_millis,
};
use hermes_telemetry::names::{label, metric};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    endpoint_actor::{Arguments, EndpointActor, EndpointMsg},
    shared::Shared,
};

const RESTARTS_MAX: usize = 5;
const RESTARTS_WINDOW: Duration = Duration::from_secs(60);
const RESTART_DELAY_MIN: Duration = Duration::from_millis(10);
const RESTART_DELAY_MAX: Duration = Duration::from_secs(1);
/// How long an endpoint without budget rests.
const REST: Duration = Duration::from_secs(60);
/// How long one actor may take to show itself.
const VIEW_LIMIT: Duration = Duration::from_millis(500);

/// The actor.
#[derive(Debug)]
pub(crate) struct WebhooksSupervisor;

/// What the supervisor can be told.
#[derive(Debug)]
pub enum WebhooksMsg {
    /// An endpoint is owed something and wants its actor.
    Ensure(EndpointId),
    /// The directory changed.
    Changed,
    /// A delayed restart is due. Sent by the supervisor to itself.
    #[doc(hidden)]
    Restart(EndpointId),
    /// Time to look for what nobody announced. Sent by the supervisor to itself.
    #[doc(hidden)]
    Tick,
    /// Asks for the views of the supervisor and of its children.
    Inspect(RpcReplyPort<Vec<ActorView>>),
    /// Kills the child of this id, to prove that it recovers; answers whether it was running.
    Kill(String, RpcReplyPort<bool>),
}

/// What is remembered of an endpoint's actors.
#[derive(Debug)]
struct History {
    budget: RestartBudget,
    restarts: u32,
    last_error: Option<String>,
    /// A restart is due later; nothing else starts the actor before.
    resting: bool,
}

#[derive(Debug)]
pub(crate) struct State {
    shared: Arc<Shared>,
    children: ChildTable<EndpointId, EndpointMsg>,
    histories: HashMap<EndpointId, History>,
    started_at_ms: u64,
    /// Ends with the actor.
    _watching: AbortOnDropHandle<()>,
}

impl History {
    fn new() -> Self {
        #[expect(clippy::expect_used, reason = "the bounds are constants, in order and not zero")]
        let backoff = Backoff::try_new(RESTART_DELAY_MIN, RESTART_DELAY_MAX).expect("constant bounds");
        let budget = RestartBudget::new(RESTARTS_MAX, RESTARTS_WINDOW, backoff);
        Self { budget, restarts: 0, last_error: None, resting: false }
    }
}

impl State {
    fn exists(&self, id: EndpointId) -> bool {
        let endpoints = &self.shared.ports.endpoints;
        endpoints.target(id, self.shared.ports.clock.now()).is_some()
    }

    async fn start(&mut self, me: &ActorRef<WebhooksMsg>, id: EndpointId) {
        if !self.exists(id) {
            self.histories.remove(&id);
            return;
        }
        let history = self.histories.entry(id).or_insert_with(History::new);
        if history.resting || self.children.get(&id).is_some() {
            return;
        }
        let args = Arguments {
            shared: Arc::clone(&self.shared),
            seat: self.shared.take_seat(id),
            mailbox: self.shared.mailboxes.open(),
            restarts: history.restarts,
            last_error: history.last_error.clone(),
        };
        let generation = self.children.next_generation();
        match EndpointActor::spawn_linked(None, EndpointActor, args, me.get_cell()).await {
            Ok((actor, _task)) => {
                self.children.insert(id, generation, actor, ());
            }
            Err(cause) => self.ended(me, id, &Exit::Failed(error_chain(&cause)), Cause::Own),
        }
    }

    /// An actor has ended against our will: start it again, at once or later.
    fn ended(&mut self, me: &ActorRef<WebhooksMsg>, id: EndpointId, exit: &Exit, cause: Cause) {
        let history = self.histories.entry(id).or_insert_with(History::new);
        history.restarts += 1;
        history.last_error = Some(exit.to_string());
        history.resting = true;
        let delay = match history.budget.decide(cause, tokio::time::Instant::now().into_std()) {
            Verdict::RestartAfter(delay) => {
                tracing::warn!(endpoint.id = %id, exit = %exit, "endpoint actor ended, restarting");
                delay
            }
            Verdict::GiveUp => {
                tracing::error!(endpoint.id = %id, exit = %exit, "endpoint actor keeps ending, resting it");
                REST
            }
        };
        metrics::counter!(metric::ACTOR_RESTARTS_TOTAL, label::KIND => "endpoint", label::EXIT => exit.label())
            .increment(1);
        me.send_after(delay, move || WebhooksMsg::Restart(id));
    }

    /// Follows the directory: every endpoint has an actor, and nothing else has.
    async fn reconcile(&mut self, me: &ActorRef<WebhooksMsg>) {
        let gone: Vec<EndpointId> =
            self.children.iter().map(|(id, _)| *id).filter(|id| !self.exists(*id)).collect();
        for id in gone {
            self.shared.close_seat(id);
            self.histories.remove(&id);
            if let Some(child) = self.children.remove(&id) {
                child.actor().stop(Some(reason::COMPLETED.to_owned()));
            }
        }
        self.tell_all(|| EndpointMsg::Changed);
        for id in self.shared.ports.endpoints.endpoints() {
            self.start(me, id).await;
        }
    }

    fn tell_all(&self, message: impl Fn() -> EndpointMsg) {
        for (id, _) in self.children.iter() {
            if let Some(seat) = self.shared.seat(*id) {
                seat.tell(message());
            }
        }
    }

    fn tick(&self) {
        self.tell_all(|| EndpointMsg::Sweep);
        metrics::gauge!(metric::ACTORS, label::KIND => "endpoint").set(gauge(self.children.len()));
        metrics::gauge!(metric::MAILBOX_DEPTH, label::KIND => "endpoint")
            .set(gauge(self.shared.mailboxes.depth()));
    }

    /// Asks the children in a task: the handler does not wait for them.
    fn inspect(&self, reply: RpcReplyPort<Vec<ActorView>>) {
        let mut own = ActorView::new("webhooks", "webhooks", "running");
        own.parent = Some("root".to_owned());
        own.started_at_ms = self.started_at_ms;
        own.children = self.children.iter().map(|(id, _)| format!("endpoint/{id}")).collect();
        own.restarts = self.histories.values().map(|history| history.restarts).sum();
        let children: Vec<_> = self.children.iter().map(|(id, child)| (*id, child.actor().clone())).collect();
        tokio::spawn(async move {
            let views = children.into_iter().map(|(id, actor)| view_of(id, actor));
            let views = std::iter::once(own).chain(join_all(views).await).collect();
            answer(reply, views);
        });
    }

    fn kill(&mut self, id: &str) -> bool {
        let endpoint = id.strip_prefix("endpoint/").and_then(|id| id.parse().ok());
        endpoint.is_some_and(|endpoint| self.children.kill(&endpoint))
    }
}

async fn view_of(id: EndpointId, actor: ActorRef<EndpointMsg>) -> ActorView {
    ask(&actor, EndpointMsg::Inspect, VIEW_LIMIT).await.unwrap_or_else(|_| {
        let mut view = ActorView::new(format!("endpoint/{id}"), "endpoint", "unresponsive");
        view.parent = Some("webhooks".to_owned());
        view
    })
}

/// Tells the supervisor about every change of the directory, and the time.
async fn watch(me: ActorRef<WebhooksMsg>, shared: Arc<Shared>) {
    let mut changes = shared.ports.endpoints.subscribe();
    let every = shared.options.sweep_every;
    let mut ticks = tokio::time::interval_at(tokio::time::Instant::now() + every, every);
    loop {
        let told = tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => me.cast(WebhooksMsg::Changed),
                Err(_) => return, // The directory has gone: so will we.
            },
            _ = ticks.tick() => me.cast(WebhooksMsg::Tick),
        };
        if told.is_err() {
            return;
        }
    }
}

impl Actor for WebhooksSupervisor {
    type Msg = WebhooksMsg;
    type State = State;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        me: ActorRef<WebhooksMsg>,
        shared: Arc<Shared>,
    ) -> Result<State, ActorProcessingErr> {
        shared.start_recording();
        Ok(State {
            _watching: AbortOnDropHandle::new(tokio::spawn(watch(me, Arc::clone(&shared)))),
            shared,
            children: ChildTable::new(),
            histories: HashMap::new(),
            started_at_ms: unix_millis(SystemTime::now()),
        })
    }

    async fn post_start(
        &self,
        me: ActorRef<WebhooksMsg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.reconcile(&me).await;
        Ok(())
    }

    async fn handle(
        &self,
        me: ActorRef<WebhooksMsg>,
        message: WebhooksMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            WebhooksMsg::Ensure(id) => state.start(&me, id).await,
            WebhooksMsg::Changed => state.reconcile(&me).await,
            WebhooksMsg::Restart(id) => {
                if let Some(history) = state.histories.get_mut(&id) {
                    history.resting = false;
                    state.start(&me, id).await;
                }
            }
            WebhooksMsg::Tick => state.tick(),
            WebhooksMsg::Inspect(reply) => state.inspect(reply),
            WebhooksMsg::Kill(id, reply) => answer(reply, state.kill(&id)),
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
        if let Some((id, child)) = state.children.exited(actor) {
            state.ended(&me, id, &exit, child.cause_of(&exit));
        }
        Ok(())
    }
}

#[expect(clippy::cast_precision_loss, reason = "a gauge; counts are far below 2^52")]
const fn gauge(count: usize) -> f64 {
    count as f64
}
