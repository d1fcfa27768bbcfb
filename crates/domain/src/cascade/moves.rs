//! A transition in the making: the moves that several decisions share.

use super::{Attempt, AttemptStatus, Effect, Phase, State, TimelineEntry, Transition, conclude};
use crate::{
    UnixMillis,
    event::EventKind,
    message::Envelope,
    outcome::{ErrorClass, Failure},
    plan::{OnServerError, OnUnknownOutcome, Step},
    suppression::proves_opt_out,
};

/// First pause before a connection is tried again, in milliseconds; doubles with each attempt.
const BACKOFF_BASE_MS: u64 = 500;
/// Longest such pause, in milliseconds.
const BACKOFF_MAX_MS: u64 = 60_000;

pub(super) struct Move<'a> {
    pub(super) envelope: &'a Envelope,
    pub(super) next: State,
    pub(super) effects: Vec<Effect>,
    pub(super) now: UnixMillis,
}

impl<'a> Move<'a> {
    pub(super) const fn new(envelope: &'a Envelope, next: State, now: UnixMillis) -> Self {
        Self { envelope, next, effects: Vec::new(), now }
    }

    pub(super) fn done(self) -> Transition {
        Transition { next: self.next, effects: self.effects }
    }

    pub(super) fn step(&self) -> &'a Step {
        self.next.current_step(self.envelope)
    }

    pub(super) fn step_deadline(&self) -> UnixMillis {
        self.next.step_deadline(self.envelope)
    }

    /// Adds a timeline entry that concerns the message or its current step.
    pub(super) fn note(&mut self, kind: EventKind) {
        let step = match kind {
            EventKind::StepStarted | EventKind::StepTimedOut | EventKind::StepAdvanced => {
                Some(self.next.step)
            }
            EventKind::StepSuppressed => Some(self.next.step),
            _ => None,
        };
        self.push(TimelineEntry { after_ms: 0, kind, step, attempt: None, status: None, count: 1 });
    }

    /// Adds a timeline entry that concerns an attempt, with its status as it is now.
    pub(super) fn note_attempt(&mut self, kind: EventKind, number: u16) {
        let attempt = self.next.attempt(number);
        let (step, status) = (attempt.map(|attempt| attempt.step), attempt.map(|attempt| attempt.status));
        self.push(TimelineEntry { after_ms: 0, kind, step, attempt: Some(number), status, count: 1 });
    }

    fn push(&mut self, entry: TimelineEntry) {
        let after_ms = u32::try_from(self.now.since(self.envelope.created_at)).unwrap_or(u32::MAX);
        self.next.timeline.push(TimelineEntry { after_ms, ..entry });
        self.next.updated_at = self.now.max(self.next.updated_at);
    }

    /// The attempt called `number`, to be changed. Marks the state as updated.
    pub(super) fn attempt_mut(&mut self, number: u16) -> Option<&mut Attempt> {
        self.next.updated_at = self.now.max(self.next.updated_at);
        self.next.attempts.get_mut(usize::from(number).checked_sub(1)?)
    }

    /// Gives an attempt its final status.
    pub(super) fn settle(&mut self, number: u16, status: AttemptStatus, error: Option<Failure>) {
        let now = self.now;
        if error.as_ref().is_some_and(|error| self.proves_opt_out(number, error)) {
            self.effects.push(Effect::RememberOptOut { attempt: number });
        }
        if let Some(attempt) = self.attempt_mut(number) {
            attempt.status = status;
            attempt.completed_at = Some(now);
            attempt.error = error.map(Failure::clipped).or_else(|| attempt.error.take());
        }
    }

    fn proves_opt_out(&self, number: u16, error: &Failure) -> bool {
        let candidate = self.next.attempt(number).and_then(|attempt| attempt.candidate_of(self.envelope));
        candidate.is_some_and(|candidate| proves_opt_out(&candidate.provider, error))
    }

    /// Begins step `index` and asks for its first permit.
    pub(super) fn start_step(&mut self, index: u8) {
        self.next.step = index;
        self.next.step_started_at = self.now;
        self.next.phase = Phase::Pending;
        self.note(EventKind::StepStarted);
        self.acquire();
    }

    /// Ends the current step without success: the next one starts, or the message ends.
    pub(super) fn advance(&mut self) {
        if self.now >= self.envelope.expires_at {
            return conclude::conclude(self, conclude::Ending::Expired);
        }
        if self.next.cancel_requested {
            return conclude::conclude(self, conclude::Ending::Cancelled);
        }
        let following = self.next.step + 1;
        if usize::from(following) >= self.envelope.plan.steps.len() {
            return conclude::conclude(self, conclude::Ending::Exhausted);
        }
        self.note(EventKind::StepAdvanced);
        self.start_step(following);
    }

    /// Attempts of the current step, in order.
    pub(super) fn step_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.next.attempts.iter().filter(|attempt| attempt.step == self.next.step)
    }

    /// How many attempts the current step has had.
    pub(super) fn attempts_in_step(&self) -> u16 {
        u16::try_from(self.step_attempts().count()).unwrap_or(u16::MAX)
    }

    /// Candidates that may still be used in this step: those untried first, each group in plan order.
    ///
    /// A connection whose account or sender was refused is not asked again within the step.
    pub(super) fn usable_candidates(&self) -> Vec<u8> {
        let count = u8::try_from(self.step().candidates.len()).unwrap_or(u8::MAX);
        let refused = |candidate: u8| {
            self.step_attempts().any(|attempt| attempt.candidate == candidate && refuses_us(attempt))
        };
        let (tried, mut order): (Vec<u8>, Vec<u8>) = (0..count)
            .filter(|candidate| !refused(*candidate))
            .partition(|candidate| self.is_tried(*candidate));
        order.extend(tried);
        order
    }

    /// Whether the current step has an attempt through `candidate`.
    pub(super) fn is_tried(&self, candidate: u8) -> bool {
        self.step_attempts().any(|attempt| attempt.candidate == candidate)
    }

    /// Asks for a permit: of the same connection where the policy is to resend, else of any usable one.
    /// Without one the step ends.
    pub(super) fn acquire(&mut self) {
        let same = self.resend_candidate().or_else(|| self.alternate_candidate());
        let candidates = same.map_or_else(|| self.usable_candidates(), |same| vec![same]);
        if candidates.is_empty() { self.advance() } else { self.effects.push(Effect::Acquire { candidates }) }
    }

    /// The connection of the step's newest attempt, if its outcome is unknown and must be resent there.
    fn resend_candidate(&self) -> Option<u8> {
        let last =
            self.step_attempts().last().filter(|attempt| attempt.status == AttemptStatus::OutcomeUnknown)?;
        let plan = &self.envelope.plan;
        let resend = match last.error.as_ref().map(|error| error.class) {
            Some(ErrorClass::ProviderFault) => plan.on_server_error == OnServerError::Resend,
            Some(_) | None => plan.on_unknown_outcome == OnUnknownOutcome::Resend,
        };
        resend.then_some(last.candidate)
    }

    /// The connection of the step's newest attempt, if it asked for the content's alternate.
    fn alternate_candidate(&self) -> Option<u8> {
        let last = self.step_attempts().last()?;
        last.needs_alternate().then_some(last.candidate)
    }

    /// Whether the step's newest attempt may be followed by one with the content's alternate.
    pub(super) fn may_send_alternate(&self) -> bool {
        let asked = self.step_attempts().filter(|attempt| attempt.needs_alternate()).count();
        asked == 1
            && self.envelope.content.has_alternate(self.step().channel)
            && !self.next.cancel_requested
            && self.attempts_in_step() < self.envelope.plan.attempts_per_step
    }

    /// Another attempt within the step: at once through an untried connection, else after a pause.
    ///
    /// `retry_after_ms` is the provider's own wish for the pause. The step ends when its attempts are
    /// used up or the pause would outlast it.
    pub(super) fn try_again(&mut self, retry_after_ms: Option<u64>) {
        if self.attempts_in_step() >= self.envelope.plan.attempts_per_step || self.next.cancel_requested {
            return self.advance();
        }
        let candidates = self.usable_candidates();
        match candidates.first() {
            None => self.advance(),
            Some(first) if !self.is_tried(*first) => {
                self.next.phase = Phase::Pending;
                self.effects.push(Effect::Acquire { candidates });
            }
            Some(_) => self.back_off(retry_after_ms),
        }
    }

    /// Pauses, then asks again. See [`Self::try_again`].
    pub(super) fn back_off(&mut self, retry_after_ms: Option<u64>) {
        let count = self.attempts_in_step();
        if count >= self.envelope.plan.attempts_per_step || self.next.cancel_requested {
            return self.advance();
        }
        let doublings = u32::from(count.saturating_sub(1)).min(16);
        let pause = retry_after_ms.unwrap_or_else(|| (BACKOFF_BASE_MS << doublings).min(BACKOFF_MAX_MS));
        let until = self.now.plus_ms(pause);
        if until >= self.step_deadline() {
            return self.advance();
        }
        self.next.phase = Phase::Backoff { until, count };
    }
}

/// Whether an attempt showed that its connection will not serve us in this step.
fn refuses_us(attempt: &Attempt) -> bool {
    let class = attempt.error.as_ref().map(|error| error.class);
    attempt.status.is_negative()
        && matches!(class, Some(ErrorClass::Auth | ErrorClass::Funds | ErrorClass::SenderRejected))
}
