//! Whether an endpoint works, as far as this process knows. Pure.
//!
//! What the outbox has on record of earlier runs comes later than the first tries: an endpoint is not asked to
//! wait for it.

use hermes_domain::{UnixMillis, failure_streak::FailureStreak};

/// Failures since the last success.
#[derive(Debug, Default)]
pub(crate) struct Health {
    streak: Option<FailureStreak>,
    /// What is on record is known, or does not matter any more.
    restored: bool,
}

impl Health {
    /// A try succeeded.
    pub(crate) const fn worked(&mut self) {
        self.start_afresh();
    }

    /// The endpoint is wanted again, or is another one now: what was before does not count.
    pub(crate) const fn start_afresh(&mut self) {
        (self.streak, self.restored) = (None, true);
    }

    /// A try failed at `at`. Returns the streak that it belongs to.
    pub(crate) fn failed(&mut self, at: UnixMillis) -> FailureStreak {
        *self.streak.insert(FailureStreak::after(self.streak, at))
    }

    pub(crate) const fn is_restored(&self) -> bool {
        self.restored
    }

    /// Takes over what is on record, unless a success has come in between.
    pub(crate) fn restore(&mut self, stored: Option<FailureStreak>) {
        if self.restored {
            return;
        }
        self.restored = true;
        self.streak = match (stored, self.streak) {
            (Some(stored), Some(own))
                if FailureStreak::after(Some(stored), own.since).since == stored.since =>
            {
                Some(FailureStreak { since: stored.since, seen: own.seen.max(stored.seen) })
            }
            (stored, own) => own.or(stored),
        };
    }

    /// When the first failure since the last success happened.
    pub(crate) fn failing_since(&self) -> Option<UnixMillis> {
        self.streak.map(|streak| streak.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);
    const DAY_S: u32 = 24 * 3_600;

    fn streak(since: UnixMillis, seen: UnixMillis) -> FailureStreak {
        FailureStreak { since, seen }
    }

    #[test]
    fn an_earlier_run_and_this_one_are_one_streak() {
        let mut health = Health::default();
        health.failed(NOW.plus_s(DAY_S));
        health.restore(Some(streak(NOW, NOW)));
        assert_eq!(health.failing_since(), Some(NOW));
        assert_eq!(health.failed(NOW.plus_s(2 * DAY_S)), streak(NOW, NOW.plus_s(2 * DAY_S)));
    }

    #[test]
    fn a_success_before_the_record_is_read_ends_what_is_on_it() {
        let mut health = Health::default();
        health.worked();
        health.restore(Some(streak(NOW, NOW)));
        assert_eq!(health.failing_since(), None);
        let mut health = Health::default();
        health.restore(Some(streak(NOW, NOW)));
        health.worked();
        assert_eq!(health.failed(NOW.plus_s(DAY_S)).since, NOW.plus_s(DAY_S));
    }

    #[test]
    fn a_record_from_long_ago_is_another_streak() {
        let mut health = Health::default();
        let later = NOW.plus_s(30 * DAY_S);
        health.failed(later);
        health.restore(Some(streak(NOW, NOW)));
        assert_eq!(health.failing_since(), Some(later));
    }
}
