//! A cascade as people see it.

use serde::{Deserialize, Serialize};

use super::{Cascade, Phase, State};
use crate::{
    UnixMillis,
    address::Channel,
    event::EventKind,
    message::{Envelope, HeldFor},
    plan::{Candidate, Step},
};

/// Status of a message; only moves forward in this order, and the last five are final.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Durable; nothing has been submitted.
    Accepted,
    /// Waits for `send_at`.
    Scheduled,
    /// Steps are running.
    InProgress,
    /// Confirmed.
    Delivered,
    /// Sent, not confirmed.
    SentUnconfirmed,
    /// Nothing worked.
    Failed,
    /// Its time ran out.
    Expired,
    /// The tenant stopped it.
    Cancelled,
}

impl MessageStatus {
    /// Every status, in order.
    pub const ALL: [Self; 8] = [
        Self::Accepted,
        Self::Scheduled,
        Self::InProgress,
        Self::Delivered,
        Self::SentUnconfirmed,
        Self::Failed,
        Self::Expired,
        Self::Cancelled,
    ];

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Scheduled => "scheduled",
            Self::InProgress => "in_progress",
            Self::Delivered => "delivered",
            Self::SentUnconfirmed => "sent_unconfirmed",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether it can still change.
    pub const fn is_terminal(self) -> bool {
        match self {
            Self::Accepted | Self::Scheduled | Self::InProgress => false,
            Self::Delivered | Self::SentUnconfirmed | Self::Failed | Self::Expired | Self::Cancelled => true,
        }
    }
}

/// What a cascade waits for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct WaitingFor {
    /// `send_at`, `quiet_hours`, `permit`, `provider_answer`, `receipt` or `retry`.
    pub what: &'static str,
    /// Until then at the latest.
    pub until: UnixMillis,
    /// What happens then, in words.
    pub then: String,
}

impl State {
    /// The message's status.
    pub fn status(&self) -> MessageStatus {
        match self.phase {
            Phase::Scheduled { .. } => MessageStatus::Scheduled,
            Phase::Pending if self.attempts.is_empty() && self.step == 0 && !self.was_scheduled() => {
                MessageStatus::Accepted
            }
            Phase::Pending | Phase::Submitting { .. } => MessageStatus::InProgress,
            Phase::AwaitingReceipt { .. } | Phase::Backoff { .. } => MessageStatus::InProgress,
            Phase::Delivered => MessageStatus::Delivered,
            Phase::SentUnconfirmed => MessageStatus::SentUnconfirmed,
            Phase::Failed => MessageStatus::Failed,
            Phase::Expired => MessageStatus::Expired,
            Phase::Cancelled => MessageStatus::Cancelled,
        }
    }

    /// Whether it ever waited for `send_at`: then it cannot go back to `Accepted`.
    fn was_scheduled(&self) -> bool {
        self.timeline.entries().iter().take(2).any(|entry| entry.kind == EventKind::MessageScheduled)
    }

    /// The candidate that the newest attempt went through, with its step.
    pub fn last_used<'a>(&self, envelope: &'a Envelope) -> Option<(&'a Step, &'a Candidate)> {
        let attempt = self.attempts.last()?;
        let step = envelope.plan.steps.get(usize::from(attempt.step))?;
        Some((step, step.candidates.get(usize::from(attempt.candidate))?))
    }
}

impl Cascade {
    /// What it waits for; `None` once terminal.
    pub fn waiting_for(&self) -> Option<WaitingFor> {
        let until = self.state.due(&self.envelope)?;
        let (what, then) = match self.state.phase {
            Phase::Scheduled { .. } => {
                let what = self.envelope.held_for.map_or("send_at", HeldFor::as_str);
                (what, "the first step starts".to_owned())
            }
            Phase::Pending => ("permit", self.after_step()),
            Phase::Submitting { .. } => ("provider_answer", self.after_step()),
            Phase::AwaitingReceipt { .. } => ("receipt", self.after_step()),
            // Nobody is asked again: those that were not tried are waited for.
            Phase::Backoff { until, .. } if until >= self.state.step_deadline(&self.envelope) => {
                ("permit", self.after_step())
            }
            Phase::Backoff { .. } => ("retry", "another attempt within the step".to_owned()),
            Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {
                return None;
            }
        };
        Some(WaitingFor { what, until, then })
    }

    /// The channel of the current step.
    pub fn channel(&self) -> Channel {
        self.state.current_step(&self.envelope).channel
    }

    fn after_step(&self) -> String {
        if self.state.cancel_requested {
            return "the message ends, because cancelling it was asked for".to_owned();
        }
        let following = usize::from(self.state.step) + 1;
        match self.envelope.plan.steps.get(following) {
            Some(step) => format!("step {following} ({}) starts", step.channel.as_str()),
            None => "the message ends".to_owned(),
        }
    }
}
