//! The actor: matches messages, saves what the domain decides.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use hermes_directory::notifications;
use hermes_domain::{
    AttemptRef, MessageId,
    cascade::{Cascade, Effect, Event, StepError, Transition, begin, resume, step},
};
use hermes_ports::{
    StoreError,
    cascade_inbox::Delivered,
    cascade_store::{Commit, Revision},
    idempotency::Claim,
    message_intake::SubmitError,
    provider_gateway::Permit,
    receipt_inbox::ParkedId,
};
use hermes_supervision::{ActorView, answer, reason};
use hermes_telemetry::{
    TraceContext, continued,
    names::{label, metric},
};
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::{sync::oneshot, task::JoinHandle};
use tracing::{Instrument as _, Span, debug, info_span};

use crate::{
    admission::Slot,
    lookup::PutOff,
    messages::{CascadeMsg, Delivery, NewCascade, Start},
    shared::Shared,
};

/// When an actor last did something, and whether it only waits. Read by its supervisor.
#[derive(Debug, Default)]
pub(crate) struct Activity {
    /// Milliseconds since the epoch; `u64::MAX` while it must not be let go.
    idle_since: AtomicU64,
}

impl Activity {
    pub(crate) fn idle_since(&self) -> u64 {
        self.idle_since.load(Ordering::Relaxed)
    }
}

/// The actor of one message.
pub(crate) struct CascadeActor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) activity: Arc<Activity>,
}

/// What a running cascade has in memory.
pub(crate) struct Run {
    pub(crate) cascade: Cascade,
    pub(crate) revision: Option<Revision>,
    pub(crate) slot: Option<Slot>,
    pub(crate) permit: Option<Permit>,
    pub(crate) wish: Option<JoinHandle<()>>,
    pub(crate) ticket: u32,
    /// What is to be applied once a provider has answered.
    pub(crate) put_off: Option<PutOff>,
    start: Option<Birth>,
    started_at_ms: u64,
}

/// What only the start needs.
#[expect(clippy::large_enum_variant, reason = "lives for a moment, once per actor")]
enum Birth {
    New { claim: Option<Claim>, reply: oneshot::Sender<Result<(), SubmitError>>, first: Transition },
    Loaded { recovered: bool },
}

impl Drop for Run {
    fn drop(&mut self) {
        if let Some(wish) = self.wish.take() {
            wish.abort();
        }
    }
}

impl Actor for CascadeActor {
    type Msg = CascadeMsg;
    type State = Run;
    type Arguments = Start;

    async fn pre_start(&self, _: ActorRef<CascadeMsg>, start: Start) -> Result<Run, ActorProcessingErr> {
        self.activity.idle_since.store(u64::MAX, Ordering::Relaxed);
        let now = self.shared.ports.clock.now();
        let (cascade, revision, slot, start) = match start {
            Start::New(NewCascade { envelope, claim, slot, reply }) => {
                let first = begin(&envelope, now);
                let cascade = Cascade { envelope, state: first.next.clone() };
                (cascade, None, Some(slot), Birth::New { claim, reply, first })
            }
            Start::Loaded { stored, slot, recovered } => {
                let cascade = Cascade { envelope: stored.envelope, state: stored.state };
                (cascade, Some(stored.revision), slot, Birth::Loaded { recovered })
            }
        };
        let start = Some(start);
        Ok(Run {
            cascade,
            revision,
            slot,
            permit: None,
            wish: None,
            ticket: 0,
            put_off: None,
            start,
            started_at_ms: now.0,
        })
    }

    async fn post_start(&self, me: ActorRef<CascadeMsg>, run: &mut Run) -> Result<(), ActorProcessingErr> {
        match run.start.take() {
            Some(Birth::New { claim, reply, first }) => {
                let span = span(run, "accepted");
                self.create(&me, run, claim, reply, first).instrument(span).await?;
            }
            Some(Birth::Loaded { recovered }) => self.reload(&me, run, recovered).await?,
            None => {}
        }
        self.rest(run);
        Ok(())
    }

    async fn handle(
        &self,
        me: ActorRef<CascadeMsg>,
        message: CascadeMsg,
        run: &mut Run,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            CascadeMsg::Deliver(Delivery { event, consumed, reply }) => {
                self.consider(&me, run, event, consumed, Some(reply)).await?;
            }
            CascadeMsg::LookedUp { attempt, found } => self.looked_up(&me, run, attempt, found).await?,
            CascadeMsg::Wake => self.consider(&me, run, Event::Due, None, None).await?,
            CascadeMsg::Wished { ticket, wished } => self.permit_answered(&me, run, ticket, wished).await?,
            CascadeMsg::AskAgain { ticket } if ticket == run.ticket => {
                let effects = resume(&run.cascade, self.shared.ports.clock.now()).effects;
                self.perform(&me, run, effects).await?;
            }
            CascadeMsg::AskAgain { .. } => {}
            CascadeMsg::Inspect(reply) => {
                answer(reply, self.view(run));
                return Ok(()); // Being looked at is no reason to stay.
            }
            #[expect(
                clippy::panic,
                reason = "a test hook, reachable only through the operator API's kill call"
            )]
            CascadeMsg::Panic => panic!("asked to panic"),
        }
        self.rest(run);
        Self::end_if_over(&me, run);
        Ok(())
    }
}

impl CascadeActor {
    /// Makes a new message durable: already submitting when a permit is free, so that the common case
    /// needs no write of its own for waiting.
    async fn create(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        claim: Option<Claim>,
        reply: oneshot::Sender<Result<(), SubmitError>>,
        first: Transition,
    ) -> Result<(), ActorProcessingErr> {
        let mut transition = first;
        if let Some(Effect::Acquire { candidates }) = transition.effects.first()
            && let Some((event, permit)) = self.permit_now(run, candidates).await
            && let Ok(submitting) = step(&run.cascade, event, self.shared.ports.clock.now())
        {
            run.permit = Some(permit);
            transition = submitting;
        }
        let saved = self.save(run, &transition, None, claim).await;
        match saved {
            Ok(()) => {
                let _ = reply.send(Ok(())); // The request may be gone; the message is not.
                self.perform(me, run, transition.effects).await
            }
            Err(error) => {
                run.permit = None;
                let _ = reply.send(Err(match error {
                    StoreError::ClaimTaken => SubmitError::ClaimTaken,
                    other => SubmitError::Store(other),
                }));
                me.stop(Some(reason::COMPLETED.to_owned()));
                Ok(())
            }
        }
    }

    async fn reload(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        recovered: bool,
    ) -> Result<(), ActorProcessingErr> {
        if recovered {
            self.apply(me, run, Event::Recovered, None).await?;
        }
        let effects = resume(&run.cascade, self.shared.ports.clock.now()).effects;
        self.perform(me, run, effects).await
    }

    /// Decides, saves, acts. `None` when somebody else has changed the message first: this actor ends.
    pub(crate) async fn apply(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        event: Event,
        consumed: Option<ParkedId>,
    ) -> Result<Option<Delivered>, ActorProcessingErr> {
        let span = span(run, event.name());
        self.decide(me, run, event, consumed).instrument(span).await
    }

    async fn decide(
        &self,
        me: &ActorRef<CascadeMsg>,
        run: &mut Run,
        event: Event,
        consumed: Option<ParkedId>,
    ) -> Result<Option<Delivered>, ActorProcessingErr> {
        let transition = match step(&run.cascade, event, self.shared.ports.clock.now()) {
            Ok(transition) => transition,
            Err(ignored) => return self.ignore(ignored).map(Some),
        };
        match self.save(run, &transition, consumed, None).await {
            Ok(()) => {}
            Err(StoreError::Conflict | StoreError::ClaimTaken) => {
                me.stop(Some(reason::SUPERSEDED.to_owned()));
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        self.perform(me, run, transition.effects).await?;
        Ok(Some(Delivered::Applied))
    }

    #[expect(
        clippy::unnecessary_wraps,
        clippy::unused_self,
        reason = "reads as the third way out of `apply`"
    )]
    fn ignore(&self, ignored: StepError) -> Result<Delivered, ActorProcessingErr> {
        Ok(Delivered::Ignored(ignored))
    }

    /// Makes a transition durable and remembers it. A transition that changes nothing is not written.
    async fn save(
        &self,
        run: &mut Run,
        transition: &Transition,
        consumed: Option<ParkedId>,
        claim: Option<Claim>,
    ) -> Result<(), StoreError> {
        let next = &transition.next;
        let unchanged = run.revision.is_some() && consumed.is_none() && *next == run.cascade.state;
        if unchanged {
            return Ok(());
        }
        let envelope = &run.cascade.envelope;
        let old_len = if run.revision.is_none() { 0 } else { run.cascade.state.timeline.len() };
        let endpoints = self.shared.ports.directory.endpoints_for(envelope.tenant, envelope.mode);
        let commit = Commit::of(envelope, next, run.revision);
        let mut commit = commit.counting_from(envelope, &run.cascade.state, next);
        commit.outbox = notifications(&endpoints, envelope, old_len, next);
        (commit.claim, commit.consumed) = (claim, consumed);
        let owed: Vec<_> = commit.outbox.iter().map(|entry| entry.told(&envelope.metadata)).collect();
        run.revision = Some(self.shared.ports.store.commit(commit).await?);
        let ended = next.phase.is_terminal() && !run.cascade.state.phase.is_terminal();
        run.cascade.state = next.clone();
        debug!(cascade.status = next.status().as_str(), cascade.step = next.step, "cascade saved");
        if !owed.is_empty() {
            self.shared.ports.notifier.notify(owed);
        }
        self.saved(run, ended);
        Ok(())
    }

    /// Indexes and figures that follow a save.
    fn saved(&self, run: &mut Run, ended: bool) {
        let (id, state) = (run.cascade.envelope.id, &run.cascade.state);
        match state.due(&run.cascade.envelope) {
            Some(due) => self.shared.deadlines.set(id, due),
            None => self.shared.deadlines.remove(id),
        }
        if !state.owes_effect(&run.cascade.envelope) {
            run.slot = None;
        }
        if ended {
            let seconds = Duration::from_millis(state.updated_at.since(run.cascade.envelope.created_at));
            metrics::counter!(metric::MESSAGES_TOTAL, label::STATUS => state.status().as_str(), label::CHANNEL => run.cascade.channel().as_str()).increment(1);
            metrics::histogram!(metric::END_TO_END_SECONDS).record(seconds.as_secs_f64());
        }
    }

    /// Tells the supervisor whether this actor may be let go.
    fn rest(&self, run: &Run) {
        let idle = !run.cascade.state.owes_effect(&run.cascade.envelope) && run.put_off.is_none();
        let since = if idle { self.shared.ports.clock.now().0 } else { u64::MAX };
        self.activity.idle_since.store(since, Ordering::Relaxed);
    }

    /// Ends the actor of a message that has ended. What still waits in its mailbox is offered again, to
    /// an actor that is loaded anew.
    fn end_if_over(me: &ActorRef<CascadeMsg>, run: &Run) {
        if run.cascade.state.phase.is_terminal() && run.revision.is_some() {
            me.stop(Some(reason::COMPLETED.to_owned()));
        }
    }

    fn view(&self, run: &Run) -> ActorView {
        let (envelope, state) = (&run.cascade.envelope, &run.cascade.state);
        let mut view = ActorView::new(actor_id(envelope.id), "cascade", state.status().as_str());
        view.started_at_ms = run.started_at_ms;
        view.detail = serde_json::json!({
            "step": state.step,
            "attempts": state.attempts.len(),
            "waiting_for": run.cascade.waiting_for().map(|waiting| waiting.what),
            "revision": run.revision.map(|revision| revision.0),
        });
        view
    }
}

/// A span for what `event` leads to, in the trace that the message came with, however often this process or its
/// machine was restarted since.
fn span(run: &Run, event: &'static str) -> Span {
    let envelope = &run.cascade.envelope;
    let span = info_span!("cascade", message.id = %envelope.id, cascade.event = event);
    if span.is_disabled() {
        return span;
    }
    let trace = envelope.traceparent.as_deref().and_then(|text| text.parse::<TraceContext>().ok());
    continued(span, trace.as_ref())
}

/// Path of a message's actor in the tree.
pub(crate) fn actor_id(id: MessageId) -> String {
    format!("cascade/{id}")
}

/// What a provider gives back with a receipt for attempt `number` of this cascade.
pub(crate) const fn reference(cascade_id: MessageId, number: u16) -> AttemptRef {
    AttemptRef { message: cascade_id, attempt: number }
}
