//! Circuit breaker of a connection: closed, open, half-open.
//!
//! Counts only faults of the provider. It opens on a share of faults over a minimum volume, closes on
//! a better share than it opens at (hysteresis), and returns gradually. An operator's hold is above it.

use serde::Serialize;

use crate::UnixMillis;

/// When a breaker opens and how it returns.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct BreakerPolicy {
    /// Results looked at: the share is taken over a window of this length, in milliseconds.
    pub window_ms: u64,
    /// Below this many results in the window it never opens.
    pub minimum_volume: u32,
    /// Opens when at least this share of them, in percent, are faults.
    pub open_at_percent: u32,
    /// First pause while open, in milliseconds; doubles up to `pause_max_ms`.
    pub pause_ms: u64,
    /// Longest pause, in milliseconds.
    pub pause_max_ms: u64,
    /// Successes in a row that close it again.
    pub successes_to_close: u32,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            window_ms: 10_000,
            minimum_volume: 10,
            open_at_percent: 50,
            pause_ms: 1_000,
            pause_max_ms: 60_000,
            successes_to_close: 5,
        }
    }
}

/// State, as operators see it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// Everything passes.
    Closed,
    /// Nothing passes.
    Open,
    /// A growing number of probes passes.
    HalfOpen,
}

/// A breaker.
#[derive(Clone, Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    inner: Inner,
    /// Pauses in a row without a full recovery.
    reopened: u32,
}

#[derive(Clone, Copy, Debug)]
enum Inner {
    Closed { since: UnixMillis, successes: u32, faults: u32 },
    Open { until: UnixMillis },
    HalfOpen { in_flight: u32, successes: u32, probe_deadline: UnixMillis },
}

/// Probes that never report (their process died) free their places after this long, in milliseconds.
const PROBE_LIMIT_MS: u64 = 60_000;

impl Breaker {
    /// A closed breaker.
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, inner: Inner::Closed { since: UnixMillis(0), successes: 0, faults: 0 }, reopened: 0 }
    }

    /// Whether a call may start at `now`; `Err` holds the earliest time to ask again. Counts a probe.
    ///
    /// # Errors
    /// The time at which asking again makes sense.
    pub fn admit(&mut self, now: UnixMillis) -> Result<(), UnixMillis> {
        if let Inner::Open { until } = self.inner {
            if now < until {
                return Err(until);
            }
            self.inner =
                Inner::HalfOpen { in_flight: 0, successes: 0, probe_deadline: now.plus_ms(PROBE_LIMIT_MS) };
        }
        if let Inner::HalfOpen { in_flight, successes, probe_deadline } = &mut self.inner {
            if now >= *probe_deadline {
                (*in_flight, *probe_deadline) = (0, now.plus_ms(PROBE_LIMIT_MS));
            }
            // Gradual return: one probe, and one more at a time for each that succeeded.
            if *in_flight > *successes {
                return Err(now.plus_ms(self.policy.pause_ms / 10 + 1));
            }
            *in_flight += 1;
        }
        Ok(())
    }

    /// A call was admitted but never made.
    pub const fn give_back(&mut self) {
        if let Inner::HalfOpen { in_flight, .. } = &mut self.inner {
            *in_flight = in_flight.saturating_sub(1);
        }
    }

    /// The provider answered: whatever it said, it works.
    pub fn record_success(&mut self, now: UnixMillis) {
        match &mut self.inner {
            Inner::Closed { .. } => self.count(now, true),
            Inner::HalfOpen { in_flight, successes, .. } => {
                *in_flight = in_flight.saturating_sub(1);
                *successes += 1;
                if *successes >= self.policy.successes_to_close {
                    self.inner = Inner::Closed { since: now, successes: 0, faults: 0 };
                    self.reopened = 0;
                }
            }
            Inner::Open { .. } => {}
        }
    }

    /// The provider failed.
    pub fn record_fault(&mut self, now: UnixMillis) {
        match self.inner {
            Inner::Closed { .. } => self.count(now, false),
            Inner::HalfOpen { .. } => self.open(now),
            Inner::Open { .. } => {}
        }
    }

    /// The state at `now`.
    pub fn state(&self, now: UnixMillis) -> BreakerState {
        match self.inner {
            Inner::Closed { .. } => BreakerState::Closed,
            Inner::Open { until } if now < until => BreakerState::Open,
            Inner::Open { .. } | Inner::HalfOpen { .. } => BreakerState::HalfOpen,
        }
    }

    fn count(&mut self, now: UnixMillis, success: bool) {
        let Inner::Closed { since, successes, faults } = &mut self.inner else { return };
        if now.since(*since) > self.policy.window_ms {
            // Half of the past stays, so that the share does not jump at a window's edge.
            (*since, *successes, *faults) = (now, *successes / 2, *faults / 2);
        }
        *successes += u32::from(success);
        *faults += u32::from(!success);
        let total = *successes + *faults;
        if total >= self.policy.minimum_volume && *faults * 100 >= total * self.policy.open_at_percent {
            self.open(now);
        }
    }

    fn open(&mut self, now: UnixMillis) {
        let pause = (self.policy.pause_ms << self.reopened.min(16)).min(self.policy.pause_max_ms);
        self.reopened = self.reopened.saturating_add(1);
        self.inner = Inner::Open { until: now.plus_ms(pause) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(BreakerPolicy::default());
        for _ in 0..10 {
            breaker.record_fault(UnixMillis(1_000));
        }
        breaker
    }

    #[test]
    fn a_burst_of_faults_opens_it_and_probes_close_it_gradually() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(UnixMillis(1_500)), Err(UnixMillis(2_000)));
        assert_eq!(breaker.admit(UnixMillis(2_000)), Ok(()));
        assert!(breaker.admit(UnixMillis(2_001)).is_err(), "one probe at a time at first");
        breaker.record_success(UnixMillis(2_010));
        assert_eq!((breaker.admit(UnixMillis(2_011)), breaker.admit(UnixMillis(2_012))), (Ok(()), Ok(())));
        for _ in 0..4 {
            breaker.record_success(UnixMillis(2_020));
        }
        assert_eq!(breaker.state(UnixMillis(2_020)), BreakerState::Closed);
    }

    #[test]
    fn a_failed_probe_doubles_the_pause() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(UnixMillis(2_000)), Ok(()));
        breaker.record_fault(UnixMillis(2_100));
        assert_eq!(breaker.admit(UnixMillis(2_200)), Err(UnixMillis(4_100)));
    }

    #[test]
    fn few_results_or_a_small_share_never_open_it() {
        let mut breaker = Breaker::new(BreakerPolicy::default());
        for _ in 0..9 {
            breaker.record_fault(UnixMillis(1_000));
        }
        assert_eq!(breaker.state(UnixMillis(1_000)), BreakerState::Closed);
        let mut breaker = Breaker::new(BreakerPolicy::default());
        for _ in 0..100 {
            breaker.record_success(UnixMillis(1_000));
            breaker.record_success(UnixMillis(1_000));
            breaker.record_fault(UnixMillis(1_000));
        }
        assert_eq!(breaker.state(UnixMillis(1_000)), BreakerState::Closed);
    }

    #[test]
    fn probes_that_never_report_do_not_block_it_for_ever() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(UnixMillis(2_000)), Ok(()));
        assert!(breaker.admit(UnixMillis(3_000)).is_err());
        assert_eq!(breaker.admit(UnixMillis(2_000 + PROBE_LIMIT_MS)), Ok(()));
    }
}
