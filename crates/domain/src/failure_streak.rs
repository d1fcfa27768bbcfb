//! How long a webhook endpoint has been failing without a success.

use serde::{Deserialize, Serialize};

use crate::UnixMillis;

/// Failures further apart than this belong to different streaks, in milliseconds (48 hours).
///
/// Nothing was tried in between, so nothing is known of that time. The longest pause between two tries of one
/// notification is 24 hours and a fifth of jitter.
const SILENCE_MAX_MS: u64 = 48 * 3_600_000;
/// `seen` moves in steps of this many milliseconds (1 hour), so that most failures change nothing.
const SEEN_STEP_MS: u64 = 3_600_000;

/// Failures of an endpoint since its last success.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct FailureStreak {
    /// When the first of them happened.
    pub since: UnixMillis,
    /// When the last of them happened, at most an hour too early.
    pub seen: UnixMillis,
}

impl FailureStreak {
    /// The streak after a failure at `at`. Equal to `before` for most failures: what stores it need not write.
    pub fn after(before: Option<Self>, at: UnixMillis) -> Self {
        match before {
            Some(streak) if at.since(streak.seen) <= SEEN_STEP_MS => streak,
            Some(streak) if at.since(streak.seen) <= SILENCE_MAX_MS => Self { seen: at, ..streak },
            Some(_) | None => Self { since: at, seen: at },
        }
    }

    /// Whether it has lasted for `limit_ms` at `at`.
    pub fn lasts(&self, limit_ms: u64, at: UnixMillis) -> bool {
        at.since(self.since) >= limit_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
    const HOUR_S: u32 = 3_600;

    fn after(before: FailureStreak, hours: u32) -> FailureStreak {
        FailureStreak::after(Some(before), before.seen.plus_s(hours * HOUR_S))
    }

    #[test]
    fn a_streak_begins_with_its_first_failure_and_lasts_until_the_limit() {
        let limit_ms = 5 * 24 * u64::from(HOUR_S) * 1_000;
        let mut streak = FailureStreak::after(None, NOW);
        for _ in 0..5 {
            assert!(!streak.lasts(limit_ms, streak.seen));
            streak = after(streak, 24);
        }
        assert_eq!(streak.since, NOW);
        assert!(streak.lasts(limit_ms, streak.seen));
        assert!(!streak.lasts(limit_ms, UnixMillis(streak.seen.0 - 1)));
    }

    #[test]
    fn most_failures_change_nothing_that_must_be_written() {
        let streak = FailureStreak::after(None, NOW);
        let minutes = (0..60).map(|minute| FailureStreak::after(Some(streak), NOW.plus_s(minute * 60)));
        assert!(minutes.into_iter().all(|later| later == streak));
        assert_eq!(after(streak, 2).seen, NOW.plus_s(2 * HOUR_S));
    }

    #[test]
    fn a_time_in_which_nothing_was_tried_is_no_failure() {
        let streak = FailureStreak::after(None, NOW);
        assert_eq!(after(streak, 48).since, NOW);
        let later = NOW.plus_s(49 * HOUR_S);
        assert_eq!(FailureStreak::after(Some(streak), later), FailureStreak { since: later, seen: later });
    }

    #[test]
    fn a_failure_reported_late_does_not_move_anything_back() {
        let streak = FailureStreak::after(None, NOW);
        assert_eq!(FailureStreak::after(Some(streak), UnixMillis(NOW.0 - 5)), streak);
    }
}
