//! How a message ends.

use super::{AttemptStatus, Phase, StatusReason, moves::Move};
use crate::{event::EventKind, outcome::Level};

/// What brought the cascade to its end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// A step reached what it wanted, at this level.
    Succeeded(Level),
    /// A receipt for an earlier attempt did.
    LateSuccess(Level),
    /// No step remained.
    Exhausted,
    /// `expires_at` passed.
    Expired,
    /// The tenant cancelled.
    Cancelled,
}

/// Makes the cascade terminal, by the first rule that matches (API contract, "Terminal rules").
pub(super) fn conclude(moves: &mut Move<'_>, ending: Ending) {
    abandon_running_attempt(moves);
    let phase = terminal_phase(moves, ending);
    moves.next.phase = phase;
    moves.next.completed_at = Some(moves.now);
    moves.next.reason = match ending {
        Ending::Succeeded(_) => StatusReason::StepSucceeded,
        Ending::LateSuccess(_) => StatusReason::LateReceipt,
        Ending::Exhausted => StatusReason::StepsExhausted,
        Ending::Expired => StatusReason::Expired,
        Ending::Cancelled => StatusReason::Cancelled,
    };
    moves.note(match phase {
        Phase::Delivered => EventKind::MessageDelivered,
        Phase::SentUnconfirmed => EventKind::MessageSentUnconfirmed,
        Phase::Expired => EventKind::MessageExpired,
        Phase::Cancelled => EventKind::MessageCancelled,
        Phase::Failed | Phase::Scheduled { .. } | Phase::Pending => EventKind::MessageFailed,
        Phase::Submitting { .. } | Phase::AwaitingReceipt { .. } | Phase::Backoff { .. } => {
            EventKind::MessageFailed
        }
    });
}

fn terminal_phase(moves: &Move<'_>, ending: Ending) -> Phase {
    let succeeded = match ending {
        Ending::Succeeded(level) | Ending::LateSuccess(level) => Some(level),
        Ending::Exhausted | Ending::Expired | Ending::Cancelled => None,
    };
    match (succeeded, ending) {
        (Some(level), _) if level >= Level::Delivered => Phase::Delivered,
        (Some(_), _) => Phase::SentUnconfirmed,
        (None, _) if moves.next.attempts.iter().any(super::Attempt::is_open) => Phase::SentUnconfirmed,
        (None, Ending::Cancelled) => Phase::Cancelled,
        (None, Ending::Expired) => Phase::Expired,
        (None, _) => Phase::Failed,
    }
}

/// An attempt that is still with a provider when its message ends counts as unknown until its call reports.
fn abandon_running_attempt(moves: &mut Move<'_>) {
    if let Phase::Submitting { attempt: number, .. } = moves.next.phase
        && let Some(attempt) = moves.attempt_mut(number)
        && attempt.status == AttemptStatus::Submitting
    {
        attempt.status = AttemptStatus::OutcomeUnknown;
    }
}
