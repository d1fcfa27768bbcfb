//! What changes about a message: small, because it is written at every transition.

use serde::{Deserialize, Serialize};

use super::{ArrivedPart, Attempt, Timeline};
use crate::{ConnectionId, UnixMillis, message::Envelope, outcome::ErrorClass, plan::Step};

/// Where a cascade stands. Terminal phases absorb.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Phase {
    /// Waits for `send_at`.
    Scheduled {
        /// When it starts.
        until: UnixMillis,
    },
    /// Waits for a permit to submit.
    Pending,
    /// An attempt is on record and may be with the provider. At most one attempt is in this state.
    Submitting {
        /// Its number.
        attempt: u16,
        /// The request must have been started by then, or it must not be sent any more.
        not_after: UnixMillis,
    },
    /// Waits for a receipt.
    AwaitingReceipt {
        /// For this attempt.
        attempt: u16,
        /// Until then.
        deadline: UnixMillis,
    },
    /// Waits before it asks for another permit.
    Backoff {
        /// Until then.
        until: UnixMillis,
        /// How many attempts this step has had.
        count: u16,
    },
    /// Terminal.
    Delivered,
    /// Terminal.
    SentUnconfirmed,
    /// Terminal.
    Failed,
    /// Terminal.
    Expired,
    /// Terminal.
    Cancelled,
}

impl Phase {
    /// Whether nothing can follow but flags and attempts' fates.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Delivered | Self::SentUnconfirmed | Self::Failed | Self::Expired | Self::Cancelled => true,
            Self::Scheduled { .. } | Self::Pending | Self::Submitting { .. } => false,
            Self::AwaitingReceipt { .. } | Self::Backoff { .. } => false,
        }
    }
}

/// Facts that do not move the status.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Flags {
    /// An attempt was delivered after the cascade had ended without it, or had moved on to a later step.
    pub delivered_late: bool,
    /// More than one attempt was delivered.
    pub delivered_multiple: bool,
    /// Receipts contradict each other.
    pub contradicted: bool,
    /// At least one attempt's outcome was unknown.
    pub outcome_unknown: bool,
}

impl Flags {
    /// Names of the flags that are set, as the API spells them.
    pub fn names(self) -> Vec<&'static str> {
        let all = [
            (self.delivered_late, "delivered_late"),
            (self.delivered_multiple, "delivered_multiple"),
            (self.contradicted, "contradicted"),
            (self.outcome_unknown, "outcome_unknown"),
        ];
        all.into_iter().filter_map(|(set, name)| set.then_some(name)).collect()
    }
}

/// Why the status is what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub enum StatusReason {
    /// Nothing special.
    #[default]
    None,
    /// `send_at` lies ahead.
    SendAt,
    /// A step reached what it wanted.
    StepSucceeded,
    /// A receipt for an earlier step ended it.
    LateReceipt,
    /// No step remained.
    StepsExhausted,
    /// `expires_at` passed.
    Expired,
    /// The tenant cancelled.
    Cancelled,
    /// No step remained, and a suppression ended the last one. (Last: stored states know reasons by their order.)
    RecipientSuppressed,
}

impl StatusReason {
    /// As the API spells it; `None` when there is nothing to say.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::None => None,
            Self::SendAt => Some("send_at"),
            Self::StepSucceeded => Some("step_succeeded"),
            Self::LateReceipt => Some("late_receipt"),
            Self::StepsExhausted => Some("steps_exhausted"),
            Self::Expired => Some("expired"),
            Self::Cancelled => Some("cancelled"),
            Self::RecipientSuppressed => Some("recipient_suppressed"),
        }
    }
}

/// The changing state of a cascade. Persisted by [`super::encode`]; about 150 bytes after one attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct State {
    /// Where it stands.
    pub phase: Phase,
    /// Index of the current step.
    pub step: u8,
    /// When that step started; its time-out runs from here.
    pub step_started_at: UnixMillis,
    /// Every attempt, in order; number = index + 1.
    pub attempts: Vec<Attempt>,
    /// What happened.
    pub timeline: Timeline,
    /// Facts beside the status.
    pub flags: Flags,
    /// Why the status is what it is.
    pub reason: StatusReason,
    /// No further attempt may start.
    pub cancel_requested: bool,
    /// Last change.
    pub updated_at: UnixMillis,
    /// When it became terminal.
    pub completed_at: Option<UnixMillis>,
    /// First receipt that confirmed delivery.
    pub confirmed_at: Option<UnixMillis>,
    /// Parts of long texts that arrived. (Last: version 1 of the stored form ends before it.)
    pub arrived_parts: Vec<ArrivedPart>,
}

impl State {
    /// The attempt with this number, if it exists.
    pub fn attempt(&self, number: u16) -> Option<&Attempt> {
        self.attempts.get(usize::from(number).checked_sub(1)?)
    }

    /// The number of the newest attempt; 0 when there is none.
    pub fn last_attempt(&self) -> u16 {
        u16::try_from(self.attempts.len()).unwrap_or(u16::MAX)
    }

    /// The current step of `envelope`'s plan.
    ///
    /// A state is only ever paired with the envelope it was begun with, whose plan is not empty.
    pub fn current_step<'a>(&self, envelope: &'a Envelope) -> &'a Step {
        let steps = &envelope.plan.steps;
        &steps[usize::from(self.step).min(steps.len() - 1)]
    }

    /// Every provider's id of an attempt, with the connection that the attempt went through.
    pub fn provider_ids(&self, envelope: &Envelope) -> Vec<(ConnectionId, String)> {
        let known = self.attempts.iter().filter_map(|attempt| {
            Some((attempt.connection(envelope)?, attempt.provider_message_id.clone()?))
        });
        known.collect()
    }

    /// The number of the newest attempt that went through `connection` and has this id there.
    pub fn attempt_known_as(&self, envelope: &Envelope, connection: ConnectionId, id: &str) -> Option<u16> {
        let known_as = |attempt: &Attempt| {
            attempt.provider_message_id.as_deref() == Some(id)
                && attempt.connection(envelope) == Some(connection)
        };
        u16::try_from(self.attempts.iter().rposition(known_as)? + 1).ok()
    }

    /// How many of the recipient's push tokens step `index` has found to be dead.
    pub fn refused_tokens(&self, index: u8) -> usize {
        let dead = |attempt: &&Attempt| {
            attempt.step == index
                && attempt.error.as_ref().is_some_and(|error| error.class == ErrorClass::RecipientPermanent)
        };
        self.attempts.iter().filter(dead).count()
    }

    /// Whether attempt `number` carries the content's alternate, as an earlier one of its step asked.
    pub fn is_alternate(&self, number: u16) -> bool {
        let before = usize::from(number.saturating_sub(1)).min(self.attempts.len());
        let step = self.attempt(number).map(|attempt| attempt.step);
        self.attempts[..before].iter().any(|attempt| Some(attempt.step) == step && attempt.needs_alternate())
    }

    /// When the current step ends, whatever happens.
    pub fn step_deadline(&self, envelope: &Envelope) -> UnixMillis {
        self.step_started_at.plus_s(self.current_step(envelope).timeout_s).min(envelope.expires_at)
    }

    /// When the cascade must be woken; `None` once terminal.
    ///
    /// A submission is given [`State::CALL_GRACE_MS`] beyond the step, because its call is aborted at
    /// the step's deadline and that outcome should arrive first.
    pub fn due(&self, envelope: &Envelope) -> Option<UnixMillis> {
        match self.phase {
            Phase::Scheduled { until } => Some(until.min(envelope.expires_at)),
            Phase::Pending => Some(self.step_deadline(envelope)),
            Phase::Submitting { .. } => Some(self.step_deadline(envelope).plus_ms(Self::CALL_GRACE_MS)),
            Phase::AwaitingReceipt { deadline, .. } => Some(deadline),
            Phase::Backoff { until, .. } => Some(until),
            Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed => None,
            Phase::Expired | Phase::Cancelled => None,
        }
    }

    /// Whether the cascade owes an effect now rather than waiting for its due time.
    pub fn owes_effect(&self, envelope: &Envelope) -> bool {
        match self.phase {
            Phase::Pending | Phase::Submitting { .. } => true,
            Phase::Backoff { .. } => !self.wanted_meanwhile(envelope).is_empty(),
            Phase::Scheduled { .. } | Phase::AwaitingReceipt { .. } => false,
            Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed => false,
            Phase::Expired | Phase::Cancelled => false,
        }
    }

    /// How long an aborted call may take to report, in milliseconds.
    pub const CALL_GRACE_MS: u64 = 1_000;
    /// A submission needs this much of its step's time, in milliseconds: most providers answer within it.
    pub const CALL_AT_LEAST_MS: u64 = 100;
    /// A submission must begin this soon after it was put on record, in milliseconds.
    pub const SUBMIT_WITHIN_MS: u64 = 2_000;
}
