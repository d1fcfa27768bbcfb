//! Leads a cascade through events, without actors, and makes commits of it.

use std::sync::Arc;

use hermes_domain::{
    UnixMillis,
    cascade::{AdapterVersion, Cascade, Event, State, begin, step},
    message::Envelope,
    outcome::{Acceptance, Level, Outcome, Receipt, ReceiptStatus},
};
use hermes_ports::cascade_store::{Commit, Revision};

/// The adapter build that carries every attempt of a story.
pub const ADAPTER_VERSION: AdapterVersion = AdapterVersion(0xA11CE);

/// A cascade and the time of its last event.
#[derive(Clone, Debug)]
pub struct Story {
    cascade: Cascade,
    now: UnixMillis,
}

impl Story {
    /// Begins when the message was accepted; it waits for a permit.
    pub fn of(envelope: &Arc<Envelope>) -> Self {
        let now = envelope.created_at;
        let cascade = Cascade { envelope: Arc::clone(envelope), state: begin(envelope, now).next };
        Self { cascade, now }
    }

    /// Applies an event 1 ms later.
    ///
    /// # Panics
    /// When the event changes nothing.
    pub fn event(mut self, event: Event) -> Self {
        self.now = self.now.plus_ms(1);
        self.cascade.state = step(&self.cascade, event, self.now).expect("the event applies").next;
        self
    }

    /// Grants a permit: an attempt is on record.
    pub fn submitting(self) -> Self {
        self.event(Event::Permit { candidate: 0, adapter_version: ADAPTER_VERSION })
    }

    /// Submits, and the provider accepts under this id.
    pub fn accepted_as(self, provider_message_id: &str) -> Self {
        let story = self.submitting();
        let attempt = story.state().last_attempt();
        let acceptance =
            Acceptance { provider_message_id: Some(provider_message_id.into()), ..Acceptance::default() };
        story.event(Event::Outcome { attempt, outcome: Outcome::Accepted(acceptance) })
    }

    /// A receipt for the newest attempt: it arrived.
    ///
    /// # Panics
    /// Without an attempt.
    pub fn delivered(self) -> Self {
        let (attempt, record) = (self.state().last_attempt(), self.state().attempts.last());
        let record = record.expect("there is an attempt");
        let connection = record.connection(&self.cascade.envelope).expect("the plan has its candidate");
        let receipt = Receipt {
            provider_message_id: record.provider_message_id.clone(),
            ..Receipt::of(ReceiptStatus::Reached(Level::Delivered))
        };
        self.event(Event::Receipt { attempt, connection, receipt })
    }

    /// The message.
    pub const fn envelope(&self) -> &Arc<Envelope> {
        &self.cascade.envelope
    }

    /// Where it stands.
    pub const fn state(&self) -> &State {
        &self.cascade.state
    }

    /// A commit that creates it as it stands.
    pub fn create(&self) -> Commit {
        Commit::of(self.envelope(), self.state(), None)
    }

    /// A commit that replaces `expected` by it as it stands.
    pub fn replace(&self, expected: Revision) -> Commit {
        Commit::of(self.envelope(), self.state(), Some(expected))
    }
}
