//! A provider gateway that answers from a script.

use std::{
    any::Any,
    collections::{BTreeSet, VecDeque},
    fmt,
    sync::{Arc, Weak},
};

use async_trait::async_trait;
use hermes_domain::{
    AttemptRef, ConnectionId, UnixMillis,
    breaker::BreakerState,
    cascade::Event,
    outcome::{Acceptance, Outcome},
};
use hermes_ports::{
    CascadeInbox, ProviderGateway,
    adapter::{ReceiveResult, Received},
    http::Webhook,
    provider_gateway::{
        ConnectionHealth, Dispatch, Permit, PermitAnswer, PermitGuard, PermitRequest, ReceiveError,
    },
};
use parking_lot::Mutex;

use crate::ADAPTER_VERSION;

/// What becomes of one submission.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Reported at once.
    Outcome(Outcome),
    /// Stays in flight until [`ScriptedGateway::release`].
    Hang,
}

/// Grants permits and reports outcomes as its script says: without one, the first candidate accepts
/// under the id `fake-<message id>.<attempt>`.
#[derive(Default)]
pub struct ScriptedGateway {
    me: Weak<Self>,
    world: Mutex<World>,
}

#[derive(Default)]
struct World {
    inbox: Option<Arc<dyn CascadeInbox>>,
    answers: VecDeque<Answer>,
    busy: VecDeque<UnixMillis>,
    routeless: bool,
    dispatched: Vec<Dispatch>,
    in_flight: BTreeSet<(hermes_domain::MessageId, u16)>,
    webhooks: VecDeque<Result<ReceiveResult, ReceiveError>>,
}

impl ScriptedGateway {
    /// A gateway with an empty script. Give it an inbox before it dispatches.
    pub fn new() -> Arc<Self> {
        Arc::new_cyclic(|me| Self { me: Weak::clone(me), world: Mutex::default() })
    }

    /// Where outcomes go.
    pub fn report_to(&self, inbox: Arc<dyn CascadeInbox>) {
        self.world.lock().inbox = Some(inbox);
    }

    /// Appends answers to the script of submissions.
    pub fn answer(&self, answers: impl IntoIterator<Item = Answer>) {
        self.world.lock().answers.extend(answers);
    }

    /// The next wish for a permit is told to come back at `retry_at`.
    pub fn busy_once(&self, retry_at: UnixMillis) {
        self.world.lock().busy.push_back(retry_at);
    }

    /// Whether wishes find no route from now on.
    pub fn set_routeless(&self, routeless: bool) {
        self.world.lock().routeless = routeless;
    }

    /// The next webhook reads like this.
    pub fn receive_once(&self, result: Result<ReceiveResult, ReceiveError>) {
        self.world.lock().webhooks.push_back(result);
    }

    /// Every submission so far, in order.
    pub fn dispatched(&self) -> Vec<Dispatch> {
        self.world.lock().dispatched.clone()
    }

    /// Ends a hanging submission.
    pub async fn release(&self, attempt: AttemptRef, outcome: Outcome) {
        self.report(attempt, outcome).await;
    }

    async fn report(&self, attempt: AttemptRef, outcome: Outcome) {
        let inbox = {
            let mut world = self.world.lock();
            world.in_flight.remove(&(attempt.message, attempt.attempt));
            world.inbox.clone()
        };
        let event = Event::Outcome { attempt: attempt.attempt, outcome };
        if let Some(inbox) = inbox {
            // A real gateway would offer it again; a test that needs that looks at the message.
            let _ = inbox.deliver(attempt.message, event, None).await;
        }
    }
}

impl fmt::Debug for ScriptedGateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let world = self.world.lock();
        f.debug_struct("ScriptedGateway").field("dispatched", &world.dispatched.len()).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct NoGuard;

impl PermitGuard for NoGuard {
    fn into_any(self: Box<Self>) -> Box<dyn Any + Send> {
        self
    }
}

#[async_trait]
impl ProviderGateway for ScriptedGateway {
    async fn acquire(&self, request: PermitRequest) -> PermitAnswer {
        let mut world = self.world.lock();
        if let Some(retry_at) = world.busy.pop_front() {
            return PermitAnswer::Busy { retry_at };
        }
        match request.candidates.first() {
            Some(&connection) if !world.routeless => PermitAnswer::Granted(Permit {
                candidate: 0,
                connection,
                adapter_version: ADAPTER_VERSION,
                guard: Box::new(NoGuard),
            }),
            Some(_) | None => PermitAnswer::NoRoute,
        }
    }

    fn dispatch(&self, _permit: Permit, dispatch: Dispatch) {
        let attempt = dispatch.call.reference;
        let answer = {
            let mut world = self.world.lock();
            world.dispatched.push(dispatch);
            world.in_flight.insert((attempt.message, attempt.attempt));
            world.answers.pop_front()
        };
        let outcome = match answer {
            Some(Answer::Outcome(outcome)) => outcome,
            Some(Answer::Hang) => return,
            None => Outcome::Accepted(Acceptance {
                provider_message_id: Some(format!("fake-{attempt}")),
                ..Acceptance::default()
            }),
        };
        if let Some(me) = self.me.upgrade() {
            tokio::spawn(async move { me.report(attempt, outcome).await });
        }
    }

    fn in_flight(&self, attempt: AttemptRef) -> bool {
        self.world.lock().in_flight.contains(&(attempt.message, attempt.attempt))
    }

    async fn receive(
        &self,
        _connection: ConnectionId,
        _webhook: Webhook,
    ) -> Result<ReceiveResult, ReceiveError> {
        let nothing = || Ok(Ok(Received { entries: Vec::new(), unreadable: 0, reply: None }));
        self.world.lock().webhooks.pop_front().unwrap_or_else(nothing)
    }

    async fn check(&self, _connection: ConnectionId) -> Option<Outcome> {
        Some(Outcome::Accepted(Acceptance::default()))
    }

    async fn health(&self, connection: ConnectionId) -> Option<ConnectionHealth> {
        let in_flight = u32::try_from(self.world.lock().in_flight.len()).unwrap_or(u32::MAX);
        Some(ConnectionHealth {
            connection,
            breaker: BreakerState::Closed,
            held: false,
            throttled_until: None,
            in_flight,
            waiting: 0,
            calls: 0,
            processed: 0,
            receipts_due: 0,
            receipts_came: 0,
            success_rate: None,
            latency_p50_ms: None,
            latency_p99_ms: None,
            adapter_version: Some(ADAPTER_VERSION),
        })
    }
}
