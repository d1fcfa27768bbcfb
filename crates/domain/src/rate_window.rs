//! Rate limits as GCRA: one instant per window, no counters to reset.
//!
//! Source: ITU-T I.371, annex A (generic cell rate algorithm, virtual scheduling form).

use crate::UnixMillis;

/// A limit of so many permits a period, with a burst.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RateWindow {
    /// Microseconds that one permit costs.
    interval_us: u64,
    /// How far ahead of time permits may be taken, in microseconds.
    tolerance_us: u64,
    /// When the next permit is due at the sustained rate, in microseconds since the epoch.
    theoretical_arrival_us: u64,
    /// Closed until then, whatever the rate says.
    closed_until: UnixMillis,
}

/// Answer to a request for a permit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Taken.
    Granted,
    /// Not before this time.
    Denied {
        /// Earliest time at which a permit may be free.
        retry_at: UnixMillis,
    },
}

impl RateWindow {
    /// `permits` in `period_ms`, of which up to `burst` at once. Zeroes count as one.
    pub const fn new(permits: u32, period_ms: u64, burst: u32) -> Self {
        let permits = if permits == 0 { 1 } else { permits as u64 };
        let burst = if burst == 0 { 1 } else { burst as u64 };
        let interval_us = period_ms * 1_000 / permits;
        Self {
            interval_us,
            tolerance_us: interval_us * (burst - 1),
            theoretical_arrival_us: 0,
            closed_until: UnixMillis(0),
        }
    }

    /// So many a second, a tenth of a second's worth at once.
    pub const fn per_second(permits: u32) -> Self {
        let burst = permits / 10;
        Self::new(permits, 1_000, if burst == 0 { 1 } else { burst })
    }

    /// Takes a permit if one is free at `now`.
    pub fn admit(&mut self, now: UnixMillis) -> Admission {
        if now < self.closed_until {
            return Admission::Denied { retry_at: self.closed_until };
        }
        let now_us = now.0 * 1_000;
        let earliest = self.theoretical_arrival_us.saturating_sub(self.tolerance_us);
        if now_us < earliest {
            return Admission::Denied { retry_at: UnixMillis(earliest.div_ceil(1_000)) };
        }
        self.theoretical_arrival_us = self.theoretical_arrival_us.max(now_us) + self.interval_us;
        Admission::Granted
    }

    /// How many permits are free at `now`, were they all taken at once.
    pub fn remaining(&self, now: UnixMillis) -> u64 {
        if now < self.closed_until {
            return 0;
        }
        let ahead_us = self.theoretical_arrival_us.saturating_sub(now.0 * 1_000);
        let free_us = (self.tolerance_us + self.interval_us).saturating_sub(ahead_us);
        free_us / self.interval_us.max(1)
    }

    /// Gives back a permit that was not used.
    pub const fn give_back(&mut self) {
        self.theoretical_arrival_us = self.theoretical_arrival_us.saturating_sub(self.interval_us);
    }

    /// Closes the window until `until`: the provider asked for it. Never shortens an earlier wish.
    pub fn close_until(&mut self, until: UnixMillis) {
        self.closed_until = self.closed_until.max(until);
    }

    /// When the window opens again, if it is closed at `now`.
    pub fn closed_until(&self, now: UnixMillis) -> Option<UnixMillis> {
        (now < self.closed_until).then_some(self.closed_until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_throttled_window_stays_closed_as_long_as_the_provider_asked() {
        let mut window = RateWindow::per_second(100);
        window.close_until(UnixMillis(5_000));
        window.close_until(UnixMillis(3_000));
        assert_eq!(window.admit(UnixMillis(4_999)), Admission::Denied { retry_at: UnixMillis(5_000) });
        assert_eq!(window.admit(UnixMillis(5_000)), Admission::Granted);
    }

    #[test]
    fn as_many_permits_remain_as_can_be_taken() {
        let mut window = RateWindow::new(10, 1_000, 4);
        for left in (0..4).rev() {
            assert_eq!(window.admit(UnixMillis(1_000)), Admission::Granted);
            assert_eq!(window.remaining(UnixMillis(1_000)), left);
        }
        assert_eq!((window.remaining(UnixMillis(1_100)), window.remaining(UnixMillis(9_000))), (1, 4));
    }

    proptest! {
        #[test]
        fn never_more_than_rate_and_burst(permits in 1u32..500, burst in 1u32..50, gaps in prop::collection::vec(0u64..40, 1..400)) {
            let mut window = RateWindow::new(permits, 1_000, burst);
            let (mut now, mut granted) = (UnixMillis(1_000_000), 0u64);
            for gap in gaps {
                now = now.plus_ms(gap);
                match window.admit(now) {
                    Admission::Granted => granted += 1,
                    Admission::Denied { retry_at } => prop_assert!(retry_at > now),
                }
                let elapsed = now.since(UnixMillis(1_000_000));
                // The interval is cut to whole microseconds, hence the slack of one permit.
                prop_assert!(granted <= u64::from(burst) + elapsed * u64::from(permits) / 1_000 + 1);
            }
        }

        #[test]
        fn a_denied_caller_who_returns_in_time_is_served(permits in 1u32..500, burst in 1u32..50) {
            let mut window = RateWindow::new(permits, 1_000, burst);
            let mut now = UnixMillis(1_000_000);
            for _ in 0..200 {
                if let Admission::Denied { retry_at } = window.admit(now) {
                    now = retry_at;
                    prop_assert_eq!(window.admit(now), Admission::Granted);
                }
            }
        }
    }
}
