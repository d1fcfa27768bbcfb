//! What follows when a cascade's due time comes.

use super::{AttemptStatus, Phase, StepError, conclude, moves::Move, outcome};
use crate::event::EventKind;

/// Applies the due time of the current phase; stale when it has not come yet.
pub(super) fn due(moves: &mut Move<'_>) -> Result<(), StepError> {
    let due = moves.next.due(moves.envelope).ok_or(StepError::Terminal)?;
    if moves.now < due {
        return Err(StepError::Stale);
    }
    match moves.next.phase {
        Phase::Scheduled { .. } if moves.now < moves.envelope.expires_at => {
            moves.next.reason = super::StatusReason::None;
            moves.start_step(0);
        }
        Phase::Backoff { .. } if moves.now < moves.step_deadline() => {
            moves.next.phase = Phase::Pending;
            moves.acquire();
        }
        Phase::Scheduled { .. } | Phase::Pending | Phase::Backoff { .. } | Phase::AwaitingReceipt { .. } => {
            time_out(moves);
        }
        Phase::Submitting { attempt, .. } => {
            // An early receipt may already have said more than that.
            if moves.next.attempt(attempt).is_some_and(|attempt| attempt.status == AttemptStatus::Submitting)
            {
                outcome::mark_unknown(moves, attempt, None);
            }
            time_out(moves);
        }
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {}
    }
    Ok(())
}

/// Ends the step because its time is up; ends the message when its own time is.
fn time_out(moves: &mut Move<'_>) {
    if moves.now >= moves.envelope.expires_at {
        return conclude::conclude(moves, conclude::Ending::Expired);
    }
    moves.note(EventKind::StepTimedOut);
    moves.advance();
}
