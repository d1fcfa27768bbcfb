//! A transition in the making: the moves that several decisions share.

use super::{Attempt, AttemptStatus, Effect, Phase, State, TimelineEntry, Transition, conclude};
use crate::{
    UnixMillis, event::EventKind, message::Envelope, outcome::Failure, plan::Step,
    suppression::proves_opt_out,
};

/// First pause before a connection is tried again, in milliseconds; doubles with each attempt.
pub(super) const BACKOFF_BASE_MS: u64 = 500;
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

    /// The step's means are used up, so it ends without success. Only in the last one there is nothing better to do
    /// than to wait for the receipt of an attempt whose outcome nobody knows.
    pub(super) fn give_up(&mut self) {
        let is_last = usize::from(self.next.step) + 1 >= self.envelope.plan.steps.len();
        match self.next.undecided() {
            Some(number) if is_last && !self.next.cancel_requested => self.await_receipt(number),
            Some(_) | None => self.advance(),
        }
    }

    /// Waits for a receipt until the step ends. A cancelled message still waits: the receipt decides its end.
    pub(super) fn await_receipt(&mut self, number: u16) {
        self.next.phase = Phase::AwaitingReceipt { attempt: number, deadline: self.step_deadline() };
    }

    /// Asks for a permit: of the same connection where the policy is to resend, else of any usable one.
    /// Without one the step ends.
    pub(super) fn acquire(&mut self) {
        let same = self.next.resend_candidate(self.envelope).or_else(|| self.next.alternate_candidate());
        let candidates = same.map_or_else(|| self.next.usable(self.envelope), |same| vec![same]);
        if candidates.is_empty() { self.give_up() } else { self.effects.push(Effect::Acquire { candidates }) }
    }

    /// Asks for a permit of those that need not wait for the end of the pause.
    pub(super) fn acquire_meanwhile(&mut self) {
        let candidates = self.next.wanted_meanwhile(self.envelope);
        if !candidates.is_empty() {
            self.effects.push(Effect::Acquire { candidates });
        }
    }

    /// Whether the step's newest attempt may be followed by one with the content's alternate.
    pub(super) fn may_send_alternate(&self) -> bool {
        let asked = self.next.step_attempts().filter(|attempt| attempt.needs_alternate()).count();
        asked == 1 && self.envelope.content.has_alternate(self.step().channel)
    }

    /// Whether the step may have no further attempt.
    fn is_used_up(&self) -> bool {
        self.next.cancel_requested || self.next.attempts_in_step() >= self.envelope.plan.attempts_per_step
    }

    /// Another attempt within the step, of something else than was sent before: nothing has to be waited for.
    pub(super) fn try_at_once(&mut self) {
        if !self.rests() {
            self.next.phase = Phase::Pending;
            self.acquire();
        }
    }

    /// Another attempt within the step: through an untried connection as soon as one has a permit, and after a pause
    /// through any. So a connection that is held or busy keeps nobody from being asked again, and nobody is asked
    /// again at once because of it.
    ///
    /// `retry_after_ms` is the provider's own wish for the pause. The step ends when its attempts are used up, or when
    /// all were tried and the pause would outlast it.
    pub(super) fn try_again(&mut self, retry_after_ms: Option<u64>) {
        if self.rests() {
            return;
        }
        if self.next.usable(self.envelope).is_empty() {
            return self.give_up();
        }
        let until = self.pause_end(retry_after_ms);
        if until >= self.step_deadline() {
            return self.try_untried();
        }
        self.pause(until);
        self.acquire_meanwhile();
    }

    /// Another attempt through a connection that the step has not tried, however long it takes to get a permit of one.
    pub(super) fn try_untried(&mut self) {
        if self.rests() {
            return;
        }
        if self.next.untried(self.envelope).is_empty() {
            return self.give_up();
        }
        self.pause(self.step_deadline());
        self.acquire_meanwhile();
    }

    /// Pauses, then asks the same connection again.
    pub(super) fn back_off(&mut self) {
        if self.rests() {
            return;
        }
        let until = self.pause_end(None);
        if until >= self.step_deadline() { self.give_up() } else { self.pause(until) }
    }

    /// Attempt `number`, whose outcome was unknown, was taken after all: whoever waits to send again waits for its receipt
    /// instead.
    pub(super) fn hold_back(&mut self, number: u16) {
        let waits = matches!(self.next.phase, Phase::Pending | Phase::Backoff { .. });
        if waits && self.next.taken() == Some(number) {
            self.await_receipt(number);
        }
    }

    /// Settles a wish for another attempt that must not be fulfilled: a provider has the message already, or the step
    /// may have no further attempt.
    fn rests(&mut self) -> bool {
        match self.next.taken() {
            Some(number) => self.await_receipt(number),
            None if self.is_used_up() => self.give_up(),
            None => return false,
        }
        true
    }

    fn pause(&mut self, until: UnixMillis) {
        self.next.phase = Phase::Backoff { until, count: self.next.attempts_in_step() };
    }

    fn pause_end(&self, retry_after_ms: Option<u64>) -> UnixMillis {
        let doublings = u32::from(self.next.attempts_in_step().saturating_sub(1)).min(16);
        self.now.plus_ms(retry_after_ms.unwrap_or_else(|| (BACKOFF_BASE_MS << doublings).min(BACKOFF_MAX_MS)))
    }
}
