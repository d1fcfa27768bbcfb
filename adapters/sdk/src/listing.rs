//! Answers of a provider's suppression list.

use crate::{contract::Outcome, refused, suppression_list::Answer};

/// What an outcome that is no success says about an operation on the list.
pub fn list_failure(outcome: Outcome) -> Answer {
    match outcome {
        Outcome::Accepted(_) => Answer::Failed(refused("the answer cannot be read")),
        Outcome::Rejected(failure) => Answer::Refused(failure),
        Outcome::Throttled(throttling) => Answer::Throttled(throttling),
        Outcome::NotSent(failure) | Outcome::ServerError(failure) | Outcome::Unknown(failure) => {
            Answer::Failed(failure)
        }
    }
}
