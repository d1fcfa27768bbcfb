//! How often something may be restarted before its supervisor gives up.
//!
//! A child that fails right after every start is not helped by one more start. Within the budget
//! a fault is repaired in place; beyond it the supervisor fails in turn, and at the root the
//! process exits so that its service manager starts it afresh.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::backoff::{Backoff, Jitter};
use crate::exit::Cause;

/// What follows from an exit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Start again after this delay.
    RestartAfter(Duration),
    /// The budget is spent: escalate.
    GiveUp,
}

/// At most `restarts_max` restarts within any `window`.
#[derive(Debug, Clone)]
pub struct RestartBudget {
    restarts_max: usize,
    window: Duration,
    backoff: Backoff,
    /// When restarts were granted, oldest first; never more than `restarts_max` entries.
    granted: VecDeque<Instant>,
}

impl RestartBudget {
    /// Grants `restarts_max` restarts per `window`; zero means that the first exit escalates.
    ///
    /// The delay before a restart grows with the number granted within the window.
    #[must_use]
    pub const fn new(restarts_max: usize, window: Duration, backoff: Backoff) -> Self {
        Self { restarts_max, window, backoff, granted: VecDeque::new() }
    }

    /// Records an exit at `now` and decides what follows.
    ///
    /// `now` may not run backwards between calls; an earlier value is taken as no time passed.
    pub fn record(&mut self, now: Instant) -> Verdict {
        self.forget_before(now);
        if self.granted.len() >= self.restarts_max {
            return Verdict::GiveUp;
        }
        self.granted.push_back(now);
        let failures = u32::try_from(self.granted.len()).unwrap_or(u32::MAX);
        Verdict::RestartAfter(self.backoff.delay(failures, Jitter::NONE))
    }

    /// Decides what follows from an exit at `now` and records it, unless somebody asked for it: that shows no fault,
    /// spends nothing, and is answered with the shortest delay.
    pub fn decide(&mut self, cause: Cause, now: Instant) -> Verdict {
        match cause {
            Cause::Own => self.record(now),
            Cause::Request => Verdict::RestartAfter(self.backoff.delay(1, Jitter::NONE)),
        }
    }

    /// The limit as (restarts, window), for messages.
    #[must_use]
    pub const fn limit(&self) -> (usize, Duration) {
        (self.restarts_max, self.window)
    }

    fn forget_before(&mut self, now: Instant) {
        let window = self.window;
        let expired = |granted: &Instant| now.saturating_duration_since(*granted) >= window;
        while self.granted.front().is_some_and(expired) {
            self.granted.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn budget() -> RestartBudget {
        let backoff = Backoff::try_new(Duration::from_millis(100), SECOND).unwrap();
        RestartBudget::new(5, 60 * SECOND, backoff)
    }

    #[test]
    fn the_sixth_exit_within_a_minute_gives_up() {
        let (mut budget, start) = (budget(), Instant::now());
        let verdicts: Vec<Verdict> = (0..6).map(|n| budget.record(start + n * SECOND)).collect();
        let restart = |millis| Verdict::RestartAfter(Duration::from_millis(millis));
        assert_eq!(
            verdicts,
            [restart(100), restart(200), restart(400), restart(800), restart(1000), Verdict::GiveUp]
        );
    }

    #[test]
    fn exits_spread_beyond_the_window_never_give_up() {
        let (mut budget, start) = (budget(), Instant::now());
        for n in 0..100 {
            let verdict = budget.record(start + n * 12 * SECOND);
            assert!(matches!(verdict, Verdict::RestartAfter(_)), "exit {n}: {verdict:?}");
        }
    }

    #[test]
    fn the_delay_starts_small_again_after_a_quiet_window() {
        let (mut budget, start) = (budget(), Instant::now());
        for _ in 0..4 {
            budget.record(start);
        }
        assert_eq!(budget.record(start + 60 * SECOND), Verdict::RestartAfter(Duration::from_millis(100)));
    }

    #[test]
    fn a_budget_of_zero_escalates_at_once() {
        let mut budget = budget();
        budget.restarts_max = 0;
        assert_eq!(budget.record(Instant::now()), Verdict::GiveUp);
    }

    #[test]
    fn an_exit_that_was_asked_for_spends_nothing_and_pardons_nothing() {
        let (mut budget, now) = (budget(), Instant::now());
        let soon = Verdict::RestartAfter(Duration::from_millis(100));
        for _ in 0..4 {
            budget.decide(Cause::Own, now);
            assert_eq!([Cause::Request; 3].map(|cause| budget.decide(cause, now)), [soon; 3]);
        }
        assert_eq!(budget.decide(Cause::Own, now), Verdict::RestartAfter(SECOND));
        assert_eq!(budget.decide(Cause::Request, now), soon);
        assert_eq!(budget.decide(Cause::Own, now), Verdict::GiveUp);
    }

    #[test]
    fn memory_is_bounded_by_the_budget() {
        let (mut budget, now) = (budget(), Instant::now());
        for _ in 0..1_000 {
            budget.record(now);
        }
        assert_eq!(budget.granted.len(), 5);
    }
}
