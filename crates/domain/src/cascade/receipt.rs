//! What follows from a receipt, whenever it comes.

use super::{AttemptStatus, Phase, StepError, conclude, moves::Move, outcome, parts};
use crate::{
    ConnectionId,
    address::Channel,
    event::EventKind,
    outcome::{ErrorClass, Failure, Level, Receipt, ReceiptStatus},
    plan::OnLateReceipt,
};

/// Applies a receipt to attempt `number`.
///
/// # Errors
/// `Quarantined` unless the attempt exists, went through `connection` and has no other provider id:
/// a reference alone must not let one connection speak about another's messages.
pub(super) fn apply(
    moves: &mut Move<'_>,
    number: u16,
    connection: ConnectionId,
    receipt: Receipt,
) -> Result<(), StepError> {
    let attempt = moves.next.attempt(number).ok_or(StepError::Quarantined)?;
    let step = &moves.envelope.plan.steps[usize::from(attempt.step)];
    let same_connection = step.candidates[usize::from(attempt.candidate)].connection == connection;
    let same_id = match (&attempt.provider_message_id, &receipt.provider_message_id) {
        (Some(known), Some(named)) => known == named,
        (None, _) | (_, None) => true,
    };
    if !same_connection || !same_id {
        return Err(StepError::Quarantined);
    }
    let Receipt { provider_message_id, part, status, segments, cost, provider_time: _ } = receipt;
    let status = match part {
        Some(part) => parts::whole(moves, number, &part, status)?,
        None => Some(status),
    };
    match status {
        None => {}
        Some(ReceiptStatus::Reached(level)) => positive(moves, number, level)?,
        Some(ReceiptStatus::Undelivered(failure)) => {
            negative(moves, number, AttemptStatus::Undelivered, failure)?;
        }
        Some(ReceiptStatus::Failed(failure)) => negative(moves, number, AttemptStatus::Failed, failure)?,
        Some(ReceiptStatus::Rejected(failure)) => negative(moves, number, AttemptStatus::Rejected, failure)?,
        Some(ReceiptStatus::Expired(failure)) => negative(moves, number, AttemptStatus::Expired, failure)?,
    }
    if let Some(attempt) = moves.attempt_mut(number) {
        let short_enough = |id: &String| id.len() <= super::Attempt::PROVIDER_ID_BYTES_MAX;
        attempt.provider_message_id =
            attempt.provider_message_id.take().or_else(|| provider_message_id.filter(short_enough));
        attempt.segments = segments.or(attempt.segments);
        attempt.cost = cost.or(attempt.cost);
    }
    Ok(())
}

/// An acknowledgement by app or tenant: for the newest push attempt that may have arrived, else the
/// newest of any channel.
pub(super) fn acknowledge(moves: &mut Move<'_>) -> Result<(), StepError> {
    let newest = |push_only: bool| {
        let fits = |attempt: &super::Attempt| {
            let channel = moves.envelope.plan.steps[usize::from(attempt.step)].channel;
            attempt.is_open() && (!push_only || channel == Channel::Push)
        };
        moves.next.attempts.iter().rposition(fits)
    };
    let index = newest(true).or_else(|| newest(false)).ok_or(StepError::Stale)?;
    positive(moves, u16::try_from(index + 1).unwrap_or(u16::MAX), Level::Acknowledged)
}

pub(super) fn positive(moves: &mut Move<'_>, number: u16, level: Level) -> Result<(), StepError> {
    let attempt = moves.next.attempt(number).ok_or(StepError::Quarantined)?;
    let before = attempt.status;
    let arrived = level >= Level::Delivered;
    if before.level().is_some_and(|known| known >= level) || (before.is_negative() && !arrived) {
        return Err(StepError::Stale);
    }
    let now = moves.now;
    if let Some(attempt) = moves.attempt_mut(number) {
        attempt.status = AttemptStatus::Reached(level);
        attempt.completed_at = arrived.then_some(now).or(attempt.completed_at);
    }
    moves.note_attempt(EventKind::AttemptStatus, number);
    if before.is_negative() {
        moves.next.flags.contradicted = true;
        moves.note_attempt(EventKind::ReceiptContradicting, number);
    }
    if arrived {
        confirm(moves, number);
    }
    after_positive(moves, number, before, level);
    Ok(())
}

fn confirm(moves: &mut Move<'_>, number: u16) {
    moves.next.confirmed_at = moves.next.confirmed_at.or(Some(moves.now));
    let index = usize::from(number) - 1;
    let arrived =
        |attempt: &super::Attempt| attempt.status.level().is_some_and(|level| level >= Level::Delivered);
    let another =
        moves.next.attempts.iter().enumerate().any(|(other, attempt)| other != index && arrived(attempt));
    moves.next.flags.delivered_multiple |= another;
}

fn after_positive(moves: &mut Move<'_>, number: u16, before: AttemptStatus, level: Level) {
    let arrived = level >= Level::Delivered;
    if moves.next.phase.is_terminal() {
        // Of a message that another attempt delivered, this one is a copy; that it was read as well is not.
        let is_copy = before.level() < Some(Level::Delivered);
        if arrived && (is_copy || moves.next.phase != Phase::Delivered) {
            moves.next.flags.delivered_late = true;
            moves.note_attempt(EventKind::ReceiptLate, number);
        }
        return;
    }
    let attempt_step = moves.next.attempt(number).map_or(moves.next.step, |attempt| attempt.step);
    if level < moves.envelope.plan.steps[usize::from(attempt_step)].success_on {
        return moves.hold_back(number);
    }
    if attempt_step == moves.next.step {
        return conclude::conclude(moves, conclude::Ending::Succeeded(level));
    }
    moves.next.flags.delivered_late |= arrived;
    moves.note_attempt(EventKind::ReceiptLate, number);
    match moves.envelope.plan.on_late_receipt {
        OnLateReceipt::StopRemaining => conclude::conclude(moves, conclude::Ending::LateSuccess(level)),
        OnLateReceipt::Record => {}
    }
}

fn negative(
    moves: &mut Move<'_>,
    number: u16,
    status: AttemptStatus,
    failure: Failure,
) -> Result<(), StepError> {
    let attempt = moves.next.attempt(number).ok_or(StepError::Quarantined)?;
    if attempt.status.is_negative() {
        return Err(StepError::Stale);
    }
    if attempt.status.level().is_some_and(|level| level >= Level::Delivered) {
        return contradict(moves, number, failure);
    }
    let class = failure.class;
    moves.settle(number, status, Some(failure));
    moves.note_attempt(EventKind::AttemptFailed, number);
    // While its call is still running the answer is awaited first: two attempts are never in flight.
    if matches!(moves.next.phase, Phase::AwaitingReceipt { attempt, .. } if attempt == number) {
        after_negative(moves, class);
    }
    Ok(())
}

/// A refusal after delivery: recorded once, the status stays.
fn contradict(moves: &mut Move<'_>, number: u16, failure: Failure) -> Result<(), StepError> {
    let attempt = moves.attempt_mut(number).ok_or(StepError::Quarantined)?;
    if attempt.error.is_some() {
        return Err(StepError::Stale);
    }
    attempt.error = Some(failure.clipped());
    moves.next.flags.contradicted = true;
    moves.note_attempt(EventKind::ReceiptContradicting, number);
    Ok(())
}

/// A message that was accepted and then failed: faults of the provider or our account there are worth
/// another provider, everything else the next step.
pub(super) fn after_negative(moves: &mut Move<'_>, class: ErrorClass) {
    match class {
        ErrorClass::Auth | ErrorClass::Funds | ErrorClass::SenderRejected => {
            outcome::after_failure(moves, class);
        }
        ErrorClass::ProviderFault | ErrorClass::ProviderThrottled | ErrorClass::NeedsAlternate => {
            outcome::after_failure(moves, class);
        }
        ErrorClass::RecipientPermanent | ErrorClass::RecipientTemporary | ErrorClass::ContentRejected => {
            moves.advance();
        }
        ErrorClass::OptedOut | ErrorClass::Network | ErrorClass::Unknown => moves.advance(),
    }
}
