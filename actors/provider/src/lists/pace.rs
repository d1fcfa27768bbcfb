//! What follows from a provider's answer to a change of its list. Pure.

use hermes_domain::{UnixMillis, outcome::ErrorClass};
use hermes_ports::{
    adapter::ListAnswer,
    provider_lists::{ChangeEnd, ListChange},
};

/// The first pause after a failure; each one is twice as long, up to an hour. In milliseconds.
const PAUSE_MIN_MS: u64 = 5_000;
const PAUSE_MAX_MS: u64 = 3_600_000;
/// A provider that asks to wait without saying how long is left alone for this, in milliseconds.
const THROTTLED_MS: u64 = 30_000;
/// After this long a change is given up, in milliseconds: a day.
const GIVE_UP_MS: u64 = 86_400_000;

/// What becomes of `change`.
pub(super) fn end_of(change: &ListChange, answer: &ListAnswer, now: UnixMillis) -> ChangeEnd {
    let again = |pause_ms: u64| {
        if now.since(change.since) >= GIVE_UP_MS {
            ChangeEnd::GivenUp
        } else {
            ChangeEnd::Again(now.plus_ms(pause_ms))
        }
    };
    match answer {
        ListAnswer::Done => ChangeEnd::Made,
        // An account that is refused may be mended; an address that is refused stays what it is.
        ListAnswer::Refused(failure) if matches!(failure.class, ErrorClass::Auth | ErrorClass::Funds) => {
            again(pause_ms(change.attempts))
        }
        ListAnswer::Refused(_) | ListAnswer::Page(_) => ChangeEnd::GivenUp,
        ListAnswer::Throttled { retry_after_ms, .. } => again(retry_after_ms.unwrap_or(THROTTLED_MS)),
        ListAnswer::Failed(_) => again(pause_ms(change.attempts)),
    }
}

fn pause_ms(attempts: u32) -> u64 {
    PAUSE_MIN_MS.saturating_mul(1_u64.checked_shl(attempts.min(20)).unwrap_or(u64::MAX)).min(PAUSE_MAX_MS)
}

#[cfg(test)]
mod tests {
    use hermes_domain::{ConnectionId, outcome::Failure};

    use super::*;

    fn change(attempts: u32) -> ListChange {
        ListChange {
            connection: ConnectionId::new(UnixMillis(0), 0),
            address: "+4520123456".to_owned(),
            add: None,
            attempts,
            since: UnixMillis(1_000),
            version: 1,
        }
    }

    fn failed(class: ErrorClass) -> Failure {
        Failure::new(class, "test")
    }

    #[test]
    fn failures_wait_longer_each_time_and_end_after_a_day() {
        let now = UnixMillis(2_000);
        let answer = ListAnswer::Failed(failed(ErrorClass::Network));
        let pauses = [0, 1, 9, 10, 40].map(|attempts| match end_of(&change(attempts), &answer, now) {
            ChangeEnd::Again(at) => at.since(now),
            ChangeEnd::Made | ChangeEnd::GivenUp => 0,
        });
        assert_eq!(pauses, [5_000, 10_000, 2_560_000, 3_600_000, 3_600_000]);
        let late = UnixMillis(1_000 + GIVE_UP_MS);
        assert_eq!(end_of(&change(0), &answer, late), ChangeEnd::GivenUp);
    }

    #[test]
    fn a_refused_address_is_given_up_and_refused_credentials_are_not() {
        let now = UnixMillis(2_000);
        let refused = |class| end_of(&change(0), &ListAnswer::Refused(failed(class)), now);
        assert_eq!(refused(ErrorClass::RecipientPermanent), ChangeEnd::GivenUp);
        assert_eq!(refused(ErrorClass::Auth), ChangeEnd::Again(UnixMillis(7_000)));
        let told = |retry_after_ms| {
            let failure = failed(ErrorClass::ProviderThrottled);
            end_of(&change(0), &ListAnswer::Throttled { retry_after_ms, failure }, now)
        };
        assert_eq!(told(Some(700)), ChangeEnd::Again(UnixMillis(2_700)));
        assert_eq!(told(None), ChangeEnd::Again(UnixMillis(32_000)));
        assert_eq!(end_of(&change(0), &ListAnswer::Done, now), ChangeEnd::Made);
    }
}
