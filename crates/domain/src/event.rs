//! What can be told about a message: entries of its timeline and webhooks.

use serde::{Deserialize, Serialize};

/// A kind of timeline entry. The numbers are persisted: never reuse one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(into = "u8", try_from = "u8")]
#[repr(u8)]
pub enum EventKind {
    /// The message is durable.
    MessageAccepted = 0,
    /// It waits for `send_at`.
    MessageScheduled = 1,
    /// A step began.
    StepStarted = 2,
    /// An attempt was put on record and handed to a provider.
    AttemptSubmitted = 3,
    /// An attempt got further.
    AttemptStatus = 4,
    /// An attempt failed.
    AttemptFailed = 5,
    /// Nobody knows whether the provider processed an attempt.
    AttemptOutcomeUnknown = 6,
    /// A step's time ran out.
    StepTimedOut = 7,
    /// The cascade moved to its next step.
    StepAdvanced = 8,
    /// A receipt for an attempt that no longer decides anything.
    ReceiptLate = 9,
    /// A receipt that says the opposite of an earlier one.
    ReceiptContradicting = 10,
    /// Terminal: delivered.
    MessageDelivered = 11,
    /// Terminal: failed.
    MessageFailed = 12,
    /// Terminal: expired.
    MessageExpired = 13,
    /// Terminal: cancelled.
    MessageCancelled = 14,
    /// Terminal: sent, without confirmation of delivery.
    MessageSentUnconfirmed = 15,
    /// The actor was restarted.
    ActorRecovered = 16,
    /// Further entries were dropped; only counted.
    TimelineTruncated = 17,
    /// The tenant asked to cancel while an attempt was under way.
    CancelRequested = 18,
    /// A step ended without an attempt, because the recipient must not be written to on its channel.
    StepSuppressed = 19,
}

impl EventKind {
    /// Every kind, in numeric order.
    pub const ALL: [Self; 20] = [
        Self::MessageAccepted,
        Self::MessageScheduled,
        Self::StepStarted,
        Self::AttemptSubmitted,
        Self::AttemptStatus,
        Self::AttemptFailed,
        Self::AttemptOutcomeUnknown,
        Self::StepTimedOut,
        Self::StepAdvanced,
        Self::ReceiptLate,
        Self::ReceiptContradicting,
        Self::MessageDelivered,
        Self::MessageFailed,
        Self::MessageExpired,
        Self::MessageCancelled,
        Self::MessageSentUnconfirmed,
        Self::ActorRecovered,
        Self::TimelineTruncated,
        Self::CancelRequested,
        Self::StepSuppressed,
    ];

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MessageAccepted => "message.accepted",
            Self::MessageScheduled => "message.scheduled",
            Self::StepStarted => "step.started",
            Self::AttemptSubmitted => "attempt.submitted",
            Self::AttemptStatus => "attempt.status",
            Self::AttemptFailed => "attempt.failed",
            Self::AttemptOutcomeUnknown => "attempt.outcome_unknown",
            Self::StepTimedOut => "step.timed_out",
            Self::StepAdvanced => "step.advanced",
            Self::ReceiptLate => "receipt.late",
            Self::ReceiptContradicting => "receipt.contradicting",
            Self::MessageDelivered => "message.delivered",
            Self::MessageFailed => "message.failed",
            Self::MessageExpired => "message.expired",
            Self::MessageCancelled => "message.cancelled",
            Self::MessageSentUnconfirmed => "message.sent_unconfirmed",
            Self::ActorRecovered => "actor.recovered",
            Self::TimelineTruncated => "timeline_truncated",
            Self::CancelRequested => "message.cancel_requested",
            Self::StepSuppressed => "step.suppressed",
        }
    }

    /// Whether an endpoint that names no types gets this one.
    pub const fn webhook_by_default(self) -> bool {
        match self {
            Self::MessageDelivered | Self::MessageFailed | Self::MessageExpired => true,
            Self::MessageCancelled | Self::MessageSentUnconfirmed | Self::ReceiptLate => true,
            Self::MessageAccepted | Self::MessageScheduled | Self::StepStarted | Self::AttemptSubmitted => {
                false
            }
            Self::AttemptStatus | Self::AttemptFailed | Self::AttemptOutcomeUnknown | Self::StepTimedOut => {
                false
            }
            Self::StepAdvanced | Self::ReceiptContradicting | Self::ActorRecovered => false,
            Self::TimelineTruncated | Self::CancelRequested | Self::StepSuppressed => false,
        }
    }

    /// Whether endpoints may ask for this one at all.
    pub const fn webhook_allowed(self) -> bool {
        !matches!(
            self,
            Self::ActorRecovered | Self::TimelineTruncated | Self::CancelRequested | Self::StepSuppressed
        )
    }
}

impl From<EventKind> for u8 {
    fn from(kind: EventKind) -> Self {
        kind as Self
    }
}

impl TryFrom<u8> for EventKind {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::ALL.get(usize::from(number)).copied().ok_or_else(|| format!("unknown event kind {number}"))
    }
}

/// A kind of webhook that is not about the course of a message.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum OperationalKind {
    /// A recipient wrote something.
    InboundReceived,
    /// A recipient wants to hear no more.
    RecipientOptedOut,
    /// Another endpoint of the tenant was disabled.
    WebhookDisabled,
    /// A share of a quota is used up.
    QuotaThresholdReached,
    /// A connection's breaker opened.
    ProviderDegraded,
    /// It closed again.
    ProviderRecovered,
}

impl OperationalKind {
    /// Every kind. Endpoints that name no types get all of them.
    pub const ALL: [Self; 6] = [
        Self::InboundReceived,
        Self::RecipientOptedOut,
        Self::WebhookDisabled,
        Self::QuotaThresholdReached,
        Self::ProviderDegraded,
        Self::ProviderRecovered,
    ];

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InboundReceived => "inbound.received",
            Self::RecipientOptedOut => "recipient.opted_out",
            Self::WebhookDisabled => "webhook.disabled",
            Self::QuotaThresholdReached => "quota.threshold_reached",
            Self::ProviderDegraded => "provider.degraded",
            Self::ProviderRecovered => "provider.recovered",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_match_the_list() {
        for (index, kind) in EventKind::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(u8::from(kind)), index);
            assert_eq!(EventKind::try_from(u8::from(kind)), Ok(kind));
        }
        assert!(EventKind::try_from(20).is_err());
    }
}
