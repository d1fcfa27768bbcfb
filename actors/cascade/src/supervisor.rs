//! The supervisor of one tenant's running cascades.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use hermes_domain::{MessageId, TenantId, UnixMillis};
use hermes_ports::{actor_tree::ParkedMessage, cascade_store::StoredCascade};
use hermes_supervision::{
    ActorView, ChildTable, Exit, Mailbox, ParkedKey, answer, ask, error_chain, reason, unix_millis,
};
use hermes_telemetry::names::{label, metric};
use ractor::{Actor, ActorProcessingErr, ActorRef, ActorRuntime, RpcReplyPort, SupervisionEvent};
use tracing::{error, warn};

use crate::{
    admission::Admission,
    cascade_actor::{Activity, CascadeActor, actor_id},
    messages::{CascadeMsg, Delivery, NewCascade, Start},
    restarts::Restarts,
    shared::Shared,
};

/// How often idle cascades are looked for.
const SWEEP_EVERY: Duration = Duration::from_secs(1);
/// How long a cascade may take to show itself.
const VIEW_LIMIT: Duration = Duration::from_millis(500);
/// Most children named in a view.
const CHILDREN_SHOWN_MAX: usize = 100;

/// A stored message that is to run again.
#[derive(Debug)]
pub struct Awaken {
    /// What was stored.
    pub stored: StoredCascade,
    /// Whether an actor of it failed before.
    pub recovered: bool,
    /// What to tell it.
    pub delivery: Option<Delivery>,
}

/// What the supervisor can be told.
#[derive(Debug)]
pub enum CascadesMsg {
    /// A new message.
    Create(Box<NewCascade>),
    /// A stored one: starts it unless it runs, then delivers.
    Awaken(Box<Awaken>),
    /// Asks for the supervisor's view and those of some children.
    Inspect(RpcReplyPort<Vec<ActorView>>),
    /// Asks for one cascade's view.
    View(MessageId, RpcReplyPort<Option<ActorView>>),
    /// Ends a cascade's actor as a failure would: by a kill, or by a panic inside its handler.
    Kill {
        /// Whose.
        id: MessageId,
        /// Panic instead.
        panic: bool,
        /// Whether it was running.
        reply: RpcReplyPort<bool>,
    },
    /// Asks for the messages that are parked.
    Parked(RpcReplyPort<Vec<ParkedMessage>>),
    /// Lets a parked message run again; whether it was parked.
    Release(MessageId, RpcReplyPort<bool>),
    /// A delayed restart is due. Sent by the supervisor to itself.
    #[doc(hidden)]
    Reload(MessageId),
    /// Time to look for idle cascades. Sent by the supervisor to itself.
    #[doc(hidden)]
    Sweep,
}

/// The actor.
#[derive(Debug)]
pub struct CascadesSupervisor {
    shared: Arc<Shared>,
    tenant: TenantId,
    admission: Admission,
    mailbox: Mailbox,
}

/// Its state.
#[derive(Debug)]
pub struct State {
    children: ChildTable<MessageId, CascadeMsg, Child>,
    restarts: Restarts,
    parked: ParkedGauge,
    started_at_ms: u64,
}

/// This supervisor's part of the gauge of parked messages; ends with it.
#[derive(Debug, Default)]
struct ParkedGauge {
    told: usize,
}

impl ParkedGauge {
    fn tell(&mut self, parked: usize) {
        if parked != self.told {
            metrics::gauge!(metric::PARKED_MESSAGES).increment(parked as f64 - self.told as f64);
            self.told = parked;
        }
    }
}

impl Drop for ParkedGauge {
    fn drop(&mut self) {
        self.tell(0);
    }
}

#[derive(Debug)]
struct Child {
    activity: Arc<Activity>,
    stopping: bool,
}

impl CascadesSupervisor {
    /// The supervisor of `tenant`'s cascades, which count against `admission`; `mailbox` counts what
    /// waits for it.
    pub const fn new(shared: Arc<Shared>, tenant: TenantId, admission: Admission, mailbox: Mailbox) -> Self {
        Self { shared, tenant, admission, mailbox }
    }

    /// Path in the tree.
    pub fn id(tenant: TenantId) -> String {
        format!("cascades/{tenant}")
    }

    fn start(
        &self,
        me: &ActorRef<CascadesMsg>,
        state: &mut State,
        id: MessageId,
        start: Start,
    ) -> Option<ActorRef<CascadeMsg>> {
        let activity = Arc::<Activity>::default();
        let actor = CascadeActor { shared: Arc::clone(&self.shared), activity: Arc::clone(&activity) };
        let generation = state.children.next_generation();
        match ActorRuntime::spawn_linked_instant(None, actor, start, me.get_cell()) {
            Ok((child, _)) => {
                self.shared.running.insert(id, child.clone());
                state.children.insert(id, generation, child.clone(), Child { activity, stopping: false });
                Some(child)
            }
            Err(cause) => {
                error!(message.id = %id, error = error_chain(&cause), "a cascade could not be spawned");
                None
            }
        }
    }

    /// Starts a stored message unless it runs; whatever cannot be told now is offered again by its sender.
    fn awaken(&self, me: &ActorRef<CascadesMsg>, state: &mut State, awaken: Awaken) {
        let Awaken { stored, recovered, delivery } = awaken;
        let id = stored.envelope.id;
        let child = match state.children.get(&id) {
            Some(child) if child.data.stopping => return,
            Some(child) => Some(child.actor().clone()),
            None if state.restarts.is_parked(id)
                && self.shared.ports.clock.now() < stored.envelope.expires_at =>
            {
                // A parked message has one more duty: to end in time.
                self.shared.deadlines.set(id, stored.envelope.expires_at);
                return;
            }
            None => {
                let owes = stored.state.owes_effect(&stored.envelope);
                let slot = owes.then(|| self.admission.take(stored.envelope.lane));
                let recovered = state.restarts.started(id) || recovered;
                self.start(me, state, id, Start::Loaded { stored, slot, recovered })
            }
        };
        if let (Some(child), Some(delivery)) = (child, delivery) {
            let _ = child.cast(CascadeMsg::Deliver(delivery)); // A dropped reply makes the sender offer it again.
        }
    }

    fn exited(&self, me: &ActorRef<CascadesMsg>, state: &mut State, event: &SupervisionEvent) {
        let Some((actor, exit)) = Exit::classify(event) else { return };
        let Some((id, _)) = state.children.exited(actor) else { return };
        self.shared.running.remove(id, actor);
        if !exit.is_fault() {
            if exit == Exit::Completed {
                state.restarts.forget(id);
            }
            return;
        }
        metrics::counter!(metric::ACTOR_RESTARTS_TOTAL, label::KIND => "cascade", label::EXIT => exit.label()).increment(1);
        match state.restarts.failed(id, &exit.to_string(), Instant::now()) {
            Some(delay) => {
                let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                warn!(message.id = %id, exit = %exit, delay_ms, "cascade ended, restarting");
                me.send_after(delay, move || CascadesMsg::Reload(id));
            }
            None => {
                state.parked.tell(state.restarts.parked_count());
                error!(message.id = %id, exit = %exit, "cascade fails again and again, parked until its expiry");
            }
        }
    }

    /// Loads a message in a task and starts it again.
    fn reload(&self, me: &ActorRef<CascadesMsg>, id: MessageId) {
        let (me, store) = (me.clone(), Arc::clone(&self.shared.ports.store));
        tokio::spawn(async move {
            match store.load(id).await {
                Ok(Some(stored)) => {
                    let awaken = Awaken { stored, recovered: true, delivery: None };
                    let _ = me.cast(CascadesMsg::Awaken(Box::new(awaken))); // We may be shutting down.
                }
                Ok(None) => {} // It failed before it was durable: its sender has no 202.
                Err(cause) => {
                    warn!(message.id = %id, error = error_chain(&cause), "cascade could not be loaded, trying again");
                    me.send_after(SWEEP_EVERY, move || CascadesMsg::Reload(id));
                }
            }
        });
    }

    /// Lets go of cascades that have only waited for long enough.
    fn sweep(&self, state: &mut State) {
        state.parked.tell(state.restarts.parked_count());
        let limit = u64::try_from(self.shared.options.passivate_after.as_millis()).unwrap_or(u64::MAX);
        let now = self.shared.ports.clock.now().0;
        let idle = |child: &hermes_supervision::Child<CascadeMsg, Child>| {
            let since = child.data.activity.idle_since();
            !child.data.stopping && since != u64::MAX && now.saturating_sub(since) >= limit
        };
        let ids: Vec<MessageId> =
            state.children.iter().filter(|(_, child)| idle(child)).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(child) = state.children.get_mut(&id) {
                child.data.stopping = true;
                let actor = child.actor().clone();
                self.shared.running.remove(id, actor.get_id());
                actor.stop(Some(reason::PASSIVATED.to_owned()));
            }
        }
        metrics::gauge!(metric::ACTORS, label::KIND => "cascade").set(self.shared.running.len() as f64);
        metrics::gauge!(metric::MAILBOX_DEPTH, label::KIND => "cascades")
            .set(self.shared.mailboxes.depth() as f64);
    }

    fn view(&self, state: &State) -> ActorView {
        let mut view = ActorView::new(Self::id(self.tenant), "cascades", "running");
        view.parent = Some(format!("tenant/{}", self.tenant));
        view.started_at_ms = state.started_at_ms;
        view.mailbox = self.mailbox.depth();
        view.children = state.children.iter().take(CHILDREN_SHOWN_MAX).map(|(id, _)| actor_id(*id)).collect();
        view.detail =
            serde_json::json!({ "running": state.children.len(), "parked": state.restarts.parked() });
        view
    }

    fn parked(&self, state: &State) -> Vec<ParkedMessage> {
        let now = (self.shared.ports.clock.now(), Instant::now());
        let message = |(id, parked): (&MessageId, &ParkedKey)| {
            let ago = now.1.saturating_duration_since(parked.since).as_millis();
            ParkedMessage {
                id: *id,
                tenant: self.tenant,
                reason: parked.last_error.clone(),
                failures: parked.failures,
                since: UnixMillis(now.0.0.saturating_sub(u64::try_from(ago).unwrap_or(u64::MAX))),
            }
        };
        state.restarts.parked_keys().map(message).collect()
    }

    /// Asks children for their views in a task and answers.
    fn show(&self, state: &State, ids: Vec<MessageId>, done: impl FnOnce(Vec<ActorView>) + Send + 'static) {
        let parent = Self::id(self.tenant);
        let asked: Vec<_> = ids
            .into_iter()
            .filter_map(|id| {
                state.children.get(&id).map(|child| (child.actor().clone(), state.restarts.of(id)))
            })
            .collect();
        tokio::spawn(async move {
            let mut views = Vec::with_capacity(asked.len());
            for (actor, (restarts, last_error)) in asked {
                if let Ok(mut view) = ask(&actor, CascadeMsg::Inspect, VIEW_LIMIT).await {
                    (view.parent, view.restarts, view.last_error) =
                        (Some(parent.clone()), restarts, last_error);
                    views.push(view);
                }
            }
            done(views);
        });
    }

    fn kill(&self, state: &State, id: MessageId, panic: bool) -> bool {
        let Some(child) = state.children.get(&id) else { return false };
        if panic {
            child.actor().cast(CascadeMsg::Panic).is_ok()
        } else {
            child.actor().kill();
            true
        }
    }
}

impl Actor for CascadesSupervisor {
    type Msg = CascadesMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<CascadesMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        me.send_interval(SWEEP_EVERY, || CascadesMsg::Sweep);
        let started_at_ms = unix_millis(SystemTime::now());
        let restarts = Restarts::new(self.shared.options.poison_failures_max);
        Ok(State { children: ChildTable::new(), restarts, parked: ParkedGauge::default(), started_at_ms })
    }

    async fn handle(
        &self,
        me: ActorRef<CascadesMsg>,
        message: CascadesMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CascadesMsg::Create(new) => {
                self.mailbox.received();
                let id = new.envelope.id;
                self.start(&me, state, id, Start::New(*new));
            }
            CascadesMsg::Awaken(awaken) => {
                self.mailbox.received();
                self.awaken(&me, state, *awaken);
            }
            CascadesMsg::Reload(id) => self.reload(&me, id),
            CascadesMsg::Sweep => self.sweep(state),
            CascadesMsg::Kill { id, panic, reply } => answer(reply, self.kill(state, id, panic)),
            CascadesMsg::Parked(reply) => answer(reply, self.parked(state)),
            CascadesMsg::Release(id, reply) => {
                let released = state.restarts.release(id);
                if released {
                    state.parked.tell(state.restarts.parked_count());
                    self.reload(&me, id);
                }
                answer(reply, released);
            }
            CascadesMsg::View(id, reply) => {
                self.show(state, vec![id], move |mut views| answer(reply, views.pop()));
            }
            CascadesMsg::Inspect(reply) => {
                let own = self.view(state);
                let shown = state.children.iter().take(CHILDREN_SHOWN_MAX).map(|(id, _)| *id).collect();
                self.show(state, shown, move |views| {
                    answer(reply, std::iter::once(own).chain(views).collect());
                });
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<CascadesMsg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        self.exited(&me, state, &event);
        Ok(())
    }
}
