//! The supervisor of all connections: one actor each, restarted within a budget.
//!
//! A connection whose actor fails again and again does not take the others along: when its budget is
//! spent it rests for a while and starts with a new one. Meanwhile permits that are free are still
//! granted, since those need no actor; wishes that have to wait ask again until their time is up.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

use futures::future::join_all;
use hermes_domain::ConnectionId;
use hermes_supervision::{
    ActorView, Backoff, Cause, ChildTable, Exit, RestartBudget, answer, ask, error_chain, reason,
    restart_budget::Verdict, unix_millis,
};
use hermes_telemetry::names::{label, metric};
use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio_util::task::AbortOnDropHandle;

use crate::{
    provider_actor::{Arguments, ProviderActor, ProviderMsg},
    shared::Shared,
    waiting::Bounds,
};

const RESTARTS_MAX: usize = 5;
const RESTARTS_WINDOW: Duration = Duration::from_secs(60);
const RESTART_DELAY_MIN: Duration = Duration::from_millis(10);
const RESTART_DELAY_MAX: Duration = Duration::from_secs(1);
/// How long a connection without budget rests.
const REST: Duration = Duration::from_secs(60);
/// How long one actor may take to show itself.
const VIEW_LIMIT: Duration = Duration::from_millis(500);
/// How often what changes without a notice is looked at: default rates, breaker gauges, outages.
const TICK: Duration = Duration::from_secs(5);

/// The actor.
#[derive(Debug)]
pub(crate) struct ProvidersSupervisor;

/// What the supervisor can be told.
#[derive(Debug)]
pub enum ProvidersMsg {
    /// A connection is in use and wants its actor.
    Ensure(ConnectionId),
    /// The directory changed.
    Changed,
    /// A delayed restart is due. Sent by the supervisor to itself.
    #[doc(hidden)]
    Restart(ConnectionId),
    /// Time to look at what changes without a notice. Sent by the supervisor to itself.
    #[doc(hidden)]
    Tick,
    /// Asks for the views of the supervisor and of its children.
    Inspect(RpcReplyPort<Vec<ActorView>>),
    /// Kills the child of this id, to prove that it recovers; answers whether it was running.
    Kill(String, RpcReplyPort<bool>),
}

/// What is remembered of a connection's actors.
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
    children: ChildTable<ConnectionId, ProviderMsg>,
    histories: HashMap<ConnectionId, History>,
    started_at_ms: u64,
    /// Ends with the actor.
    _watching: AbortOnDropHandle<()>,
    _reading_orphans: AbortOnDropHandle<()>,
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
    async fn start(&mut self, me: &ActorRef<ProvidersMsg>, id: ConnectionId) {
        let history = self.histories.entry(id).or_insert_with(History::new);
        if history.resting || self.children.get(&id).is_some() {
            return;
        }
        let Some(line) = self.shared.line(id) else {
            self.histories.remove(&id);
            return;
        };
        let options = &self.shared.options;
        let args = Arguments {
            line,
            bounds: Bounds { total: options.waiting_max, per_tenant: options.waiting_per_tenant_max },
            clock: Arc::clone(&self.shared.ports.clock),
            mailbox: self.shared.mailboxes.open(),
            restarts: history.restarts,
            last_error: history.last_error.clone(),
        };
        let generation = self.children.next_generation();
        match ProviderActor::spawn_linked(None, ProviderActor, args, me.get_cell()).await {
            Ok((actor, _task)) => {
                self.children.insert(id, generation, actor, ());
            }
            Err(cause) => self.ended(me, id, &Exit::Failed(error_chain(&cause)), Cause::Own),
        }
    }

    /// An actor has ended against our will: start it again, at once or later.
    fn ended(&mut self, me: &ActorRef<ProvidersMsg>, id: ConnectionId, exit: &Exit, cause: Cause) {
        let history = self.histories.entry(id).or_insert_with(History::new);
        history.restarts += 1;
        history.last_error = Some(exit.to_string());
        history.resting = true;
        let delay = match history.budget.decide(cause, tokio::time::Instant::now().into_std()) {
            Verdict::RestartAfter(delay) => {
                tracing::warn!(provider.connection = %id, exit = %exit, "provider actor ended, restarting");
                delay
            }
            Verdict::GiveUp => {
                tracing::error!(provider.connection = %id, exit = %exit, "provider actor keeps ending, resting it");
                REST
            }
        };
        metrics::counter!(metric::ACTOR_RESTARTS_TOTAL, label::KIND => "provider", label::EXIT => exit.label())
            .increment(1);
        me.send_after(delay, move || ProvidersMsg::Restart(id));
    }

    /// Follows the directory: every connection has an actor, and nothing else has.
    async fn reconcile(&mut self, me: &ActorRef<ProvidersMsg>) {
        for id in self.shared.refresh_lines() {
            self.shared.close_line(id);
            self.histories.remove(&id);
            if let Some(child) = self.children.remove(&id) {
                // Whoever waits is told to ask again, and then finds no such connection.
                child.actor().stop(Some(reason::COMPLETED.to_owned()));
            }
        }
        for id in self.shared.ports.connections.connections() {
            self.start(me, id).await;
        }
    }

    fn tick(&self) {
        for line in self.shared.lines() {
            line.tick();
        }
        metrics::gauge!(metric::ACTORS, label::KIND => "provider").set(gauge(self.children.len()));
        metrics::gauge!(metric::MAILBOX_DEPTH, label::KIND => "provider")
            .set(gauge(self.shared.mailboxes.depth()));
    }

    /// Asks the children in a task: the handler does not wait for them.
    fn inspect(&self, reply: RpcReplyPort<Vec<ActorView>>) {
        let mut own = ActorView::new("providers", "providers", "running");
        own.parent = Some("root".to_owned());
        own.started_at_ms = self.started_at_ms;
        own.children = self.children.iter().map(|(id, _)| format!("provider/{id}")).collect();
        own.restarts = self.histories.values().map(|history| history.restarts).sum();
        let children: Vec<_> = self.children.iter().map(|(id, child)| (*id, child.actor().clone())).collect();
        tokio::spawn(async move {
            let views = children.into_iter().map(|(id, actor)| view_of(id, actor));
            let views = std::iter::once(own).chain(join_all(views).await).collect();
            answer(reply, views);
        });
    }

    fn kill(&mut self, id: &str) -> bool {
        let connection = id.strip_prefix("provider/").and_then(|id| id.parse().ok());
        connection.is_some_and(|connection| self.children.kill(&connection))
    }
}

async fn view_of(id: ConnectionId, actor: ActorRef<ProviderMsg>) -> ActorView {
    ask(&actor, ProviderMsg::Inspect, VIEW_LIMIT).await.unwrap_or_else(|_| {
        let mut view = ActorView::new(format!("provider/{id}"), "provider", "unresponsive");
        view.parent = Some("providers".to_owned());
        view
    })
}

/// Tells the supervisor about every change of the directory, and the time.
async fn watch(me: ActorRef<ProvidersMsg>, shared: Arc<Shared>) {
    let mut changes = shared.ports.connections.subscribe();
    let mut ticks = tokio::time::interval(TICK);
    loop {
        let told = tokio::select! {
            changed = changes.changed() => match changed {
                Ok(()) => me.cast(ProvidersMsg::Changed),
                Err(_) => return, // The directory has gone: so will we.
            },
            _ = ticks.tick() => me.cast(ProvidersMsg::Tick),
        };
        if told.is_err() {
            return;
        }
    }
}

async fn read_orphans(shared: Arc<Shared>) {
    let mut ticks = tokio::time::interval(shared.options.orphans_every);
    loop {
        ticks.tick().await;
        if let Err(error) = shared.orphans.read(&*shared.ports.receipts).await {
            tracing::warn!(error = &error as &dyn std::error::Error, "could not read the parked receipts");
        }
    }
}

impl Actor for ProvidersSupervisor {
    type Msg = ProvidersMsg;
    type State = State;
    type Arguments = Arc<Shared>;

    async fn pre_start(
        &self,
        me: ActorRef<ProvidersMsg>,
        shared: Arc<Shared>,
    ) -> Result<State, ActorProcessingErr> {
        Ok(State {
            _watching: AbortOnDropHandle::new(tokio::spawn(watch(me, Arc::clone(&shared)))),
            _reading_orphans: AbortOnDropHandle::new(tokio::spawn(read_orphans(Arc::clone(&shared)))),
            shared,
            children: ChildTable::new(),
            histories: HashMap::new(),
            started_at_ms: unix_millis(SystemTime::now()),
        })
    }

    async fn post_start(
        &self,
        me: ActorRef<ProvidersMsg>,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        state.reconcile(&me).await;
        Ok(())
    }

    async fn handle(
        &self,
        me: ActorRef<ProvidersMsg>,
        message: ProvidersMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ProvidersMsg::Ensure(id) => state.start(&me, id).await,
            ProvidersMsg::Changed => state.reconcile(&me).await,
            ProvidersMsg::Restart(id) => {
                if let Some(history) = state.histories.get_mut(&id) {
                    history.resting = false;
                    state.start(&me, id).await;
                }
            }
            ProvidersMsg::Tick => {
                state.reconcile(&me).await;
                state.tick();
            }
            ProvidersMsg::Inspect(reply) => state.inspect(reply),
            ProvidersMsg::Kill(id, reply) => answer(reply, state.kill(&id)),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<ProvidersMsg>,
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
