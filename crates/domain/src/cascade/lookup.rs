//! When it is worth asking a provider what became of a submission.

use super::{Cascade, Event, Phase};
use crate::{
    UnixMillis,
    outcome::{Outcome, Receipt, ReceiptStatus},
    plan::{OnServerError, OnUnknownOutcome},
};

/// The attempt to ask about before `event` is applied at `now`: its receipt is overdue, or nobody knows whether it
/// was processed and the policy would send again.
pub fn lookup_before(cascade: &Cascade, event: &Event, now: UnixMillis) -> Option<u16> {
    let (state, plan) = (&cascade.state, &cascade.envelope.plan);
    match (state.phase, event) {
        (Phase::AwaitingReceipt { attempt, .. }, Event::Due) => {
            state.due(&cascade.envelope).filter(|due| now >= *due).map(|_| attempt)
        }
        (Phase::Submitting { attempt, .. }, Event::Outcome { attempt: of, outcome }) if attempt == *of => {
            let sends_again = match outcome {
                Outcome::Unknown(_) => plan.on_unknown_outcome != OnUnknownOutcome::Wait,
                Outcome::ServerError(_) => plan.on_server_error != OnServerError::Wait,
                Outcome::Accepted(_) | Outcome::Rejected(_) | Outcome::Throttled { .. } => false,
                Outcome::NotSent(_) | Outcome::AdapterFault(_) => false,
            };
            sends_again.then_some(attempt)
        }
        (Phase::Submitting { attempt, .. }, Event::Interrupted { attempt: of }) if attempt == *of => {
            (plan.on_unknown_outcome != OnUnknownOutcome::Wait).then_some(attempt)
        }
        _ => None,
    }
}

/// What a provider's answer says, as the receipt that it stands for. `None` when it knows nothing.
pub fn receipt_of_lookup(found: Outcome) -> Option<Receipt> {
    match found {
        Outcome::Accepted(told) => {
            let level = told.level.unwrap_or(crate::outcome::Level::Accepted);
            Some(Receipt {
                provider_message_id: told.provider_message_id,
                segments: told.segments,
                cost: told.cost,
                ..Receipt::of(ReceiptStatus::Reached(level))
            })
        }
        Outcome::Rejected(failure) => Some(Receipt::of(ReceiptStatus::Failed(failure))),
        Outcome::Throttled { .. } | Outcome::NotSent(_) | Outcome::ServerError(_) => None,
        Outcome::Unknown(_) | Outcome::AdapterFault(_) => None,
    }
}
