//! When tenants are told that a connection is degraded, and that it has recovered. Pure.
//!
//! A breaker may open and close many times a minute. Tenants hear of at most one pair a minute, and what they heard
//! last becomes true: an outage that is too young to be told is told once it is old enough, if it still lasts.

use hermes_domain::{UnixMillis, breaker::BreakerState};

/// Between two outages that are told, in milliseconds (1 minute).
const PAIR_EVERY_MS: u64 = 60_000;

/// What tenants know of one connection.
#[derive(Debug, Default)]
pub(crate) struct Outage {
    /// When the present outage began.
    since: Option<UnixMillis>,
    /// When the outage began that tenants know of and believe to last.
    told: Option<UnixMillis>,
    /// When tenants were last told of an outage.
    told_at: Option<UnixMillis>,
}

/// What tenants are to be told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum News {
    /// The breaker opened.
    Degraded,
    /// It closed; it had opened at this time.
    Recovered {
        /// When.
        since: UnixMillis,
    },
}

impl Outage {
    /// Takes note of the breaker's state at `now`; returns what tenants are to be told now, if anything.
    ///
    /// To be called with every change, and now and then while nothing changes.
    pub(crate) fn note(&mut self, breaker: BreakerState, now: UnixMillis) -> Option<News> {
        match breaker {
            BreakerState::Open => self.since = self.since.or(Some(now)),
            // Probes pass: neither an end nor a beginning.
            BreakerState::HalfOpen => {}
            BreakerState::Closed => self.since = None,
        }
        match (self.since, self.told) {
            (Some(since), None) if self.told_at.is_none_or(|at| now.since(at) >= PAIR_EVERY_MS) => {
                (self.told, self.told_at) = (Some(since), Some(now));
                Some(News::Degraded)
            }
            (None, Some(since)) => {
                self.told = None;
                Some(News::Recovered { since })
            }
            (Some(_), _) | (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use BreakerState::{Closed, HalfOpen, Open};

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    /// What is told at each of these times, in seconds.
    fn told(states: &[(u32, BreakerState)]) -> Vec<(u32, News)> {
        let mut outage = Outage::default();
        let news = states.iter().map(|(at_s, state)| (*at_s, outage.note(*state, NOW.plus_s(*at_s))));
        news.filter_map(|(at_s, news)| Some((at_s, news?))).collect()
    }

    fn recovered(since_s: u32) -> News {
        News::Recovered { since: NOW.plus_s(since_s) }
    }

    #[test]
    fn probes_that_fail_belong_to_the_same_outage() {
        let states =
            [(0, Closed), (1, Open), (2, HalfOpen), (3, Open), (5, HalfOpen), (6, Closed), (7, Closed)];
        assert_eq!(told(&states), [(1, News::Degraded), (6, recovered(1))]);
    }

    #[test]
    fn one_pair_a_minute_is_told() {
        let flapping: Vec<_> =
            (0..300).map(|second| (second, if second % 2 == 0 { Open } else { Closed })).collect();
        let told = told(&flapping);
        let times: Vec<u32> = told.iter().map(|(at, _)| *at).collect();
        assert_eq!(times, [0, 1, 60, 61, 120, 121, 180, 181, 240, 241]);
    }

    #[test]
    fn an_outage_that_lasts_is_told_when_its_time_has_come() {
        let states = [(0, Open), (10, Closed), (20, Open), (30, Open), (60, HalfOpen), (90, Closed)];
        let expected = [(0, News::Degraded), (10, recovered(0)), (60, News::Degraded), (90, recovered(20))];
        assert_eq!(told(&states), expected);
    }
}
