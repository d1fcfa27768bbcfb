//! What follows from the outcome of a submission.

use super::{AttemptStatus, Phase, StepError, conclude, moves::Move, parts};
use crate::{
    address::Channel,
    event::EventKind,
    outcome::{Acceptance, ErrorClass, Failure, Level, Outcome},
    plan::{OnServerError, OnUnknownOutcome},
};

/// Applies the outcome of attempt `number`.
pub(super) fn apply(moves: &mut Move<'_>, number: u16, outcome: Outcome) -> Result<(), StepError> {
    let attempt = moves.next.attempt(number).ok_or(StepError::Stale)?;
    let running = matches!(moves.next.phase, Phase::Submitting { attempt, .. } if attempt == number);
    if !running {
        return apply_afterwards(moves, number, outcome);
    }
    if attempt.status != AttemptStatus::Submitting {
        return apply_behind_receipt(moves, number, outcome);
    }
    match outcome {
        Outcome::Accepted(acceptance) => accepted(moves, number, acceptance),
        Outcome::Rejected(failure) => rejected(moves, number, failure),
        Outcome::Throttled { retry_after_ms, failure } => {
            failed(moves, number, failure);
            moves.try_again(retry_after_ms);
        }
        Outcome::NotSent(failure) | Outcome::AdapterFault(failure) => {
            failed(moves, number, failure);
            moves.try_again(None);
        }
        Outcome::ServerError(failure) => {
            let failure = Failure { class: ErrorClass::ProviderFault, ..failure };
            mark_unknown(moves, number, Some(failure));
            after_server_error(moves, number);
        }
        Outcome::Unknown(failure) => {
            mark_unknown(moves, number, Some(failure));
            after_unknown(moves, number);
        }
    }
    Ok(())
}

/// A submission found after a crash whose call is not running any more: its outcome is unknown.
pub(super) fn interrupted(moves: &mut Move<'_>, number: u16) -> Result<(), StepError> {
    let failure = Failure::new(ErrorClass::Unknown, "interrupted between sending and answer");
    match moves.next.phase {
        Phase::Submitting { attempt, .. } if attempt == number => {
            apply(moves, number, Outcome::Unknown(failure))
        }
        Phase::Scheduled { .. } | Phase::Pending | Phase::Submitting { .. } => Err(StepError::Stale),
        Phase::AwaitingReceipt { .. } | Phase::Backoff { .. } => Err(StepError::Stale),
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {
            Err(StepError::Stale)
        }
    }
}

/// Records that nobody knows what became of attempt `number`.
pub(super) fn mark_unknown(moves: &mut Move<'_>, number: u16, failure: Option<Failure>) {
    moves.settle(number, AttemptStatus::OutcomeUnknown, failure);
    if let Some(attempt) = moves.attempt_mut(number) {
        attempt.outcome_unknown = true;
    }
    moves.next.flags.outcome_unknown = true;
    moves.note_attempt(EventKind::AttemptOutcomeUnknown, number);
}

fn accepted(moves: &mut Move<'_>, number: u16, acceptance: Acceptance) {
    let level = acceptance.level.unwrap_or(Level::Accepted);
    record_acceptance(moves, number, acceptance);
    if let Some(attempt) = moves.attempt_mut(number) {
        attempt.status = AttemptStatus::Reached(level);
    }
    moves.note_attempt(EventKind::AttemptStatus, number);
    // Receipts of all parts may have overtaken the answer, which alone tells how many there are.
    if parts::all_arrived(moves, number) && super::receipt::positive(moves, number, Level::Delivered).is_ok()
    {
        if !moves.next.phase.is_terminal() {
            wait_or_succeed(moves, number, Level::Delivered);
        }
        return;
    }
    wait_or_succeed(moves, number, level);
}

fn wait_or_succeed(moves: &mut Move<'_>, number: u16, level: Level) {
    if level >= moves.step().success_on {
        return conclude::conclude(moves, conclude::Ending::Succeeded(level));
    }
    moves.await_receipt(number);
}

fn rejected(moves: &mut Move<'_>, number: u16, failure: Failure) {
    let class = failure.class;
    moves.settle(number, AttemptStatus::Rejected, Some(failure));
    moves.note_attempt(EventKind::AttemptFailed, number);
    after_failure(moves, class);
}

fn failed(moves: &mut Move<'_>, number: u16, failure: Failure) {
    moves.settle(number, AttemptStatus::Failed, Some(failure));
    moves.note_attempt(EventKind::AttemptFailed, number);
}

/// What follows a failure that is final for its attempt.
pub(super) fn after_failure(moves: &mut Move<'_>, class: ErrorClass) {
    if class.another_provider_may_help() {
        // A refusal by one provider is no reason to ask it again.
        return moves.try_untried();
    }
    if class == ErrorClass::NeedsAlternate && moves.may_send_alternate() {
        return moves.try_at_once();
    }
    let another_token = moves.step().channel == Channel::Push
        && class == ErrorClass::RecipientPermanent
        && moves.next.refused_tokens(moves.next.step) < moves.envelope.to.push.len();
    if another_token { moves.try_at_once() } else { moves.advance() }
}

fn after_server_error(moves: &mut Move<'_>, number: u16) {
    match moves.envelope.plan.on_server_error {
        OnServerError::NextProvider => moves.try_again(None),
        OnServerError::Resend => moves.back_off(),
        OnServerError::NextChannel => moves.advance(),
        OnServerError::Wait => moves.await_receipt(number),
    }
}

fn after_unknown(moves: &mut Move<'_>, number: u16) {
    match moves.envelope.plan.on_unknown_outcome {
        OnUnknownOutcome::Wait => moves.await_receipt(number),
        OnUnknownOutcome::Resend => moves.back_off(),
        OnUnknownOutcome::NextChannel => moves.advance(),
        OnUnknownOutcome::NextProvider => {
            let none_left = moves.next.untried(moves.envelope).is_empty();
            if none_left { moves.await_receipt(number) } else { moves.try_untried() }
        }
    }
}

fn record_acceptance(moves: &mut Move<'_>, number: u16, acceptance: Acceptance) {
    let Some(attempt) = moves.attempt_mut(number) else { return };
    let short_enough = |id: &String| id.len() <= super::Attempt::PROVIDER_ID_BYTES_MAX;
    attempt.provider_message_id =
        attempt.provider_message_id.take().or_else(|| acceptance.provider_message_id.filter(short_enough));
    attempt.segments = attempt.segments.or(acceptance.segments);
    attempt.cost = attempt.cost.or(acceptance.cost);
}

/// The receipt was faster than the answer: the answer adds the provider's id, and a refusal by receipt
/// takes effect now that nothing is in flight any more.
fn apply_behind_receipt(moves: &mut Move<'_>, number: u16, outcome: Outcome) -> Result<(), StepError> {
    if let Outcome::Accepted(acceptance) = outcome {
        record_acceptance(moves, number, acceptance);
    }
    let (status, class) = moves
        .next
        .attempt(number)
        .map(|attempt| {
            (attempt.status, attempt.error.as_ref().map_or(ErrorClass::Unknown, |error| error.class))
        })
        .ok_or(StepError::Stale)?;
    match status.level() {
        Some(level) => wait_or_succeed(moves, number, level),
        None => super::receipt::after_negative(moves, class),
    }
    Ok(())
}

/// The cascade went on (or ended) while the call was running: only the attempt's own record changes.
fn apply_afterwards(moves: &mut Move<'_>, number: u16, outcome: Outcome) -> Result<(), StepError> {
    let undecided = moves.next.attempt(number).is_some_and(|attempt| {
        matches!(attempt.status, AttemptStatus::Submitting | AttemptStatus::OutcomeUnknown)
            && attempt.provider_message_id.is_none()
    });
    match outcome {
        Outcome::Accepted(acceptance) if undecided => {
            let level = acceptance.level.unwrap_or(Level::Accepted);
            record_acceptance(moves, number, acceptance);
            if let Some(attempt) = moves.attempt_mut(number) {
                attempt.status = AttemptStatus::Reached(level);
            }
            moves.note_attempt(EventKind::AttemptStatus, number);
            moves.hold_back(number);
            Ok(())
        }
        Outcome::Rejected(failure) if undecided => {
            moves.settle(number, AttemptStatus::Rejected, Some(failure));
            moves.note_attempt(EventKind::AttemptFailed, number);
            Ok(())
        }
        Outcome::Accepted(_) | Outcome::Rejected(_) | Outcome::Throttled { .. } | Outcome::NotSent(_) => {
            Err(StepError::Stale)
        }
        Outcome::ServerError(_) | Outcome::Unknown(_) | Outcome::AdapterFault(_) => Err(StepError::Stale),
    }
}
