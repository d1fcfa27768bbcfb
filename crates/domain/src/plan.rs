//! The resolved plan of a message: which channels, through which connections, for how long.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::{
    ConnectionId,
    address::Channel,
    money::Money,
    outcome::Level,
    routing::{Considered, Reason, Verdict},
};

/// Most steps one cascade may have.
pub const STEPS_MAX: usize = 10;

/// One connection a step may use.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// The connection.
    pub connection: ConnectionId,
    /// The tenant's name for it.
    pub name: String,
    /// Name of its adapter, such as `twilio`.
    pub provider: String,
    /// What the message is expected to cost through it, all segments together, by its price list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Money>,
}

/// One step: a channel and what counts as success there.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Step {
    /// The channel.
    pub channel: Channel,
    /// Connections in the order they are tried; never empty.
    pub candidates: Vec<Candidate>,
    /// How far the message must get.
    pub success_on: Level,
    /// From the step's start, queueing and retries included. 1–259,200 seconds.
    pub timeout_s: u32,
    /// What providers charge for: segments of an SMS, else one message.
    #[serde(default = "one_part", skip_serializing_if = "is_one_part")]
    pub parts: u16,
    /// Every connection that was considered, with the reason; empty where there was nothing to choose.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub considered: Vec<Considered>,
}

impl Step {
    /// Takes out the candidates that `is_rejected` names, and says why among those considered.
    pub fn reject(&mut self, reason: Reason, mut is_rejected: impl FnMut(&Candidate) -> bool) {
        // Names are not unique, but those that were not rejected stand in the candidates' order.
        let mut verdicts: VecDeque<bool> = self.candidates.iter().map(&mut is_rejected).collect();
        let mut kept = verdicts.clone().into_iter().map(|rejected| !rejected);
        self.candidates.retain(|_| kept.next().unwrap_or(true));
        for considered in &mut self.considered {
            if considered.verdict != Verdict::Rejected && verdicts.pop_front() == Some(true) {
                (considered.verdict, considered.reason) = (Verdict::Rejected, reason);
            }
        }
        let name = |considered: &Considered| match considered.verdict {
            Verdict::Rejected => Some(considered.name.clone()),
            Verdict::Taken | Verdict::Standby => None,
        };
        self.considered.sort_by_key(name); // Stable: the others stay in their order, before the rejected ones.
    }
}

const fn one_part() -> u16 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
const fn is_one_part(parts: &u16) -> bool {
    *parts == 1
}

/// What a success receipt for an earlier step does once the cascade has moved on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnLateReceipt {
    /// The message is delivered; later steps do not start.
    #[default]
    StopRemaining,
    /// It is recorded; the cascade goes on.
    Record,
}

/// What follows a dispatch whose outcome is unknown.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnknownOutcome {
    /// Wait for a receipt until the step ends.
    #[default]
    Wait,
    /// Submit again through the same connection.
    Resend,
    /// Submit through the next connection of the step.
    NextProvider,
    /// End the step.
    NextChannel,
}

/// What follows a 5xx answer that does not say whether the message was processed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnServerError {
    /// Submit through the next connection, then the same one again after a backoff.
    #[default]
    NextProvider,
    /// Submit again through the same connection after a backoff.
    Resend,
    /// End the step.
    NextChannel,
    /// Wait for a receipt until the step ends.
    Wait,
}

/// A cascade's steps and policies, fixed when the message is accepted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Plan {
    /// 1 to [`STEPS_MAX`] steps, tried in order.
    pub steps: Vec<Step>,
    /// Policy for late receipts.
    #[serde(default)]
    pub on_late_receipt: OnLateReceipt,
    /// Policy for unknown outcomes.
    #[serde(default)]
    pub on_unknown_outcome: OnUnknownOutcome,
    /// Policy for server errors.
    #[serde(default)]
    pub on_server_error: OnServerError,
    /// Most attempts within one step, 1–20.
    pub attempts_per_step: u16,
}
