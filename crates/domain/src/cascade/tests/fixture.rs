//! Builders: a message with three steps, and a cascade that is driven event by event.

use std::sync::Arc;

use crate::{
    ConnectionId, MessageId, TenantId, UnixMillis,
    address::{Channel, Email, Phone, PushToken, Recipient},
    cascade::{AdapterVersion, Cascade, Effect, Event, Phase, State, StepError, begin, step},
    content::Content,
    message::{Envelope, Lane, Mode},
    outcome::{Acceptance, ErrorClass, Failure, Level, Outcome, Receipt, ReceiptStatus},
    plan::{Candidate, OnLateReceipt, OnServerError, OnUnknownOutcome, Plan, Step},
};

pub(super) const START: UnixMillis = UnixMillis(1_767_323_045_000);
pub(super) const VERSION: AdapterVersion = AdapterVersion(0xA11CE);

pub(super) fn connection(number: u128) -> ConnectionId {
    ConnectionId::new(START, number)
}

fn a_step(channel: Channel, numbers: &[u128], success_on: Level, timeout_s: u32) -> Step {
    let candidate = |number: &u128| Candidate {
        connection: connection(*number),
        name: format!("c{number}"),
        provider: "p".into(),
        price: None,
    };
    Step {
        channel,
        candidates: numbers.iter().map(candidate).collect(),
        success_on,
        timeout_s,
        parts: 1,
        considered: Vec::new(),
    }
}

/// SMS through two connections, then email, then push with two tokens; an hour to live.
pub(super) fn envelope(change: impl FnOnce(&mut Envelope)) -> Arc<Envelope> {
    let token = |name: &str| PushToken { token: name.into(), platform: None };
    let mut envelope = Envelope {
        v: Envelope::VERSION,
        id: MessageId::mint(START, 3, 1, 7),
        tenant: TenantId::new(START, 1),
        mode: Mode::Live,
        to: Recipient {
            phone: Phone::parse("+4520123456").ok(),
            email: Email::parse("a@example.dk").ok(),
            push: vec![token("one"), token("two")],
            ..Recipient::default()
        },
        content: Content { text: Some("hello".into()), ..Content::default() },
        template: None,
        cascade: None,
        plan: Plan {
            steps: vec![
                a_step(Channel::Sms, &[1, 2], Level::Delivered, 90),
                a_step(Channel::Email, &[3], Level::Delivered, 900),
                a_step(Channel::Push, &[4], Level::Accepted, 60),
            ],
            on_late_receipt: OnLateReceipt::default(),
            on_unknown_outcome: OnUnknownOutcome::default(),
            on_server_error: OnServerError::default(),
            attempts_per_step: 5,
        },
        sender: std::collections::BTreeMap::new(),
        lane: Lane::Transactional,
        send_at: None,
        held_for: None,
        max_cost: None,
        country: None,
        expires_at: START.plus_s(3_600),
        created_at: START,
        tags: vec![],
        metadata: std::collections::BTreeMap::new(),
        warnings: vec![],
        traceparent: None,
        redrive_of: None,
        erased_at: None,
    };
    change(&mut envelope);
    Arc::new(envelope)
}

/// A cascade with a clock, and the effects of its last transition.
pub(super) struct Run {
    pub(super) cascade: Cascade,
    pub(super) effects: Vec<Effect>,
    pub(super) now: UnixMillis,
}

impl Run {
    pub(super) fn new(envelope: &Arc<Envelope>) -> Self {
        let first = begin(envelope, START);
        Self {
            cascade: Cascade { envelope: Arc::clone(envelope), state: first.next },
            effects: first.effects,
            now: START,
        }
    }

    pub(super) fn standard() -> Self {
        Self::new(&envelope(|_| {}))
    }

    pub(super) fn state(&self) -> &State {
        &self.cascade.state
    }

    pub(super) fn phase(&self) -> Phase {
        self.cascade.state.phase
    }

    pub(super) fn after_ms(&mut self, ms: u64) -> &mut Self {
        self.now = self.now.plus_ms(ms);
        self
    }

    pub(super) fn try_event(&mut self, event: Event) -> Result<(), StepError> {
        let transition = step(&self.cascade, event, self.now)?;
        assert_eq!(super::super::invariants::violated(&self.cascade, &transition.next), None);
        self.cascade.state = transition.next;
        self.effects = transition.effects;
        Ok(())
    }

    pub(super) fn event(&mut self, event: Event) -> &mut Self {
        self.try_event(event).expect("the event applies");
        self
    }

    /// Grants the permit that was asked for, through the preferred candidate.
    pub(super) fn permit(&mut self) -> &mut Self {
        let wished = |effect: &Effect| match effect {
            Effect::Acquire { candidates } => Some(candidates.clone()),
            Effect::Dispatch { .. } | Effect::Reconcile { .. } | Effect::RememberOptOut { .. } => None,
        };
        let Some(candidates) = self.effects.iter().find_map(wished) else {
            panic!("no permit wanted: {:?}", self.effects)
        };
        self.event(Event::Permit { candidate: candidates[0], adapter_version: VERSION })
    }

    pub(super) fn outcome(&mut self, outcome: Outcome) -> &mut Self {
        let attempt = self.state().last_attempt();
        self.event(Event::Outcome { attempt, outcome })
    }

    pub(super) fn accept(&mut self) -> &mut Self {
        let id = format!("SM{}", self.state().last_attempt());
        self.outcome(Outcome::Accepted(Acceptance { provider_message_id: Some(id), ..Acceptance::default() }))
    }

    pub(super) fn try_receipt(&mut self, attempt: u16, status: ReceiptStatus) -> Result<(), StepError> {
        let record = self.state().attempt(attempt).expect("the attempt exists").clone();
        let through = self.cascade.envelope.plan.steps[usize::from(record.step)].candidates
            [usize::from(record.candidate)]
        .connection;
        self.try_event(Event::Receipt { attempt, connection: through, receipt: Receipt::of(status) })
    }

    /// A receipt about one part of the newest attempt's text.
    pub(super) fn try_part(&mut self, part: &str, status: ReceiptStatus) -> Result<(), StepError> {
        let receipt = Receipt { part: Some(part.to_owned()), ..Receipt::of(status) };
        let attempt = self.state().last_attempt();
        self.try_event(Event::Receipt { attempt, connection: connection(1), receipt })
    }

    pub(super) fn receipt(&mut self, attempt: u16, status: ReceiptStatus) -> &mut Self {
        self.try_receipt(attempt, status).expect("the receipt applies");
        self
    }

    pub(super) fn due(&mut self) -> &mut Self {
        self.now = self.state().due(&self.cascade.envelope).expect("a live cascade").max(self.now);
        self.event(Event::Due)
    }

    pub(super) fn kinds(&self) -> Vec<&'static str> {
        self.state().timeline.entries().iter().map(|entry| entry.kind.as_str()).collect()
    }
}

pub(super) fn failure(class: ErrorClass) -> Failure {
    Failure { class, code: Some("42".into()), detail: None }
}

pub(super) const fn reached(level: Level) -> ReceiptStatus {
    ReceiptStatus::Reached(level)
}

pub(super) fn undelivered() -> ReceiptStatus {
    ReceiptStatus::Undelivered(failure(ErrorClass::RecipientPermanent))
}
