//! Through which connections the current step may go next.

use super::{Attempt, AttemptStatus, Phase, State};
use crate::{
    message::Envelope,
    outcome::ErrorClass,
    plan::{OnServerError, OnUnknownOutcome},
};

impl State {
    /// Attempts of the current step, in order.
    pub(super) fn step_attempts(&self) -> impl DoubleEndedIterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| attempt.step == self.step)
    }

    /// How many attempts the current step has had.
    pub(super) fn attempts_in_step(&self) -> u16 {
        u16::try_from(self.step_attempts().count()).unwrap_or(u16::MAX)
    }

    /// Connections that the current step has no attempt through yet, in plan order.
    pub(super) fn untried(&self, envelope: &Envelope) -> Vec<u8> {
        self.candidates(envelope).filter(|candidate| !self.is_tried(*candidate)).collect()
    }

    /// Connections that may still be used in this step: those untried first, each group in plan order.
    ///
    /// A connection whose account or sender was refused is not asked again within the step.
    pub(super) fn usable(&self, envelope: &Envelope) -> Vec<u8> {
        let refused = |candidate: u8| {
            self.step_attempts().any(|attempt| attempt.candidate == candidate && refuses_us(attempt))
        };
        let mut order = self.untried(envelope);
        let tried = self.candidates(envelope).filter(|candidate| self.is_tried(*candidate));
        order.extend(tried.filter(|candidate| !refused(*candidate)));
        order
    }

    /// Connections that need not wait for the end of a pause, because the step has not tried them. None while the
    /// policy is to submit to the same one again.
    pub(super) fn wanted_meanwhile(&self, envelope: &Envelope) -> Vec<u8> {
        match self.phase {
            Phase::Backoff { .. } if self.resend_candidate(envelope).is_none() => self.untried(envelope),
            Phase::Backoff { .. } | Phase::Scheduled { .. } | Phase::Pending => Vec::new(),
            Phase::Submitting { .. } | Phase::AwaitingReceipt { .. } => Vec::new(),
            Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed => Vec::new(),
            Phase::Expired | Phase::Cancelled => Vec::new(),
        }
    }

    /// The connection of the step's newest attempt, if its outcome is unknown and must be resent there.
    pub(super) fn resend_candidate(&self, envelope: &Envelope) -> Option<u8> {
        let last = self.step_attempts().next_back()?;
        let plan = &envelope.plan;
        let resend = match last.error.as_ref().map(|error| error.class) {
            Some(ErrorClass::ProviderFault) => plan.on_server_error == OnServerError::Resend,
            Some(_) | None => plan.on_unknown_outcome == OnUnknownOutcome::Resend,
        };
        (resend && last.status == AttemptStatus::OutcomeUnknown).then_some(last.candidate)
    }

    /// The connection of the step's newest attempt, if it asked for the content's alternate.
    pub(super) fn alternate_candidate(&self) -> Option<u8> {
        let last = self.step_attempts().next_back()?;
        last.needs_alternate().then_some(last.candidate)
    }

    /// The newest attempt of the step that a provider says it has taken and that has not failed since: to send again
    /// would be to send twice.
    pub(super) fn taken(&self) -> Option<u16> {
        self.newest_in_step(|status| status.level().is_some())
    }

    /// The newest attempt of the step of which nobody knows whether it was taken.
    pub(super) fn undecided(&self) -> Option<u16> {
        self.newest_in_step(|status| status == AttemptStatus::OutcomeUnknown)
    }

    fn newest_in_step(&self, fits: impl Fn(AttemptStatus) -> bool) -> Option<u16> {
        let found = |attempt: &Attempt| attempt.step == self.step && fits(attempt.status);
        u16::try_from(self.attempts.iter().rposition(found)? + 1).ok()
    }

    fn is_tried(&self, candidate: u8) -> bool {
        self.step_attempts().any(|attempt| attempt.candidate == candidate)
    }

    fn candidates(&self, envelope: &Envelope) -> std::ops::Range<u8> {
        0..u8::try_from(self.current_step(envelope).candidates.len()).unwrap_or(u8::MAX)
    }
}

/// Whether an attempt showed that its connection will not serve us in this step.
fn refuses_us(attempt: &Attempt) -> bool {
    let class = attempt.error.as_ref().map(|error| error.class);
    attempt.status.is_negative()
        && matches!(class, Some(ErrorClass::Auth | ErrorClass::Funds | ErrorClass::SenderRejected))
}
