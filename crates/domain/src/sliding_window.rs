//! A limit of so many in any stretch of a period, as counts of short slots.

use std::num::NonZeroU32;

use crate::{UnixMillis, rate_window::Admission};

/// Slots that a period is cut into: a permit counts for at most one slot longer than the period.
const SLOTS: usize = 60;

/// At most `most` in any period. Takes 250 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlidingWindow {
    most: u32,
    slot_ms: u64,
    /// Counts of the newest slots; slot `n` since the epoch stands at `n % SLOTS`.
    counts: [u32; SLOTS],
    newest: u64,
    taken: u32,
}

impl SlidingWindow {
    /// At most `most` in any stretch of `period_s` seconds.
    pub fn new(most: NonZeroU32, period_s: NonZeroU32) -> Self {
        let slot_ms = (u64::from(period_s.get()) * 1_000).div_ceil(SLOTS as u64 - 1);
        Self { most: most.get(), slot_ms, counts: [0; SLOTS], newest: 0, taken: 0 }
    }

    /// Whether a permit is free at `now`; takes none.
    pub fn look(&mut self, now: UnixMillis) -> Admission {
        self.roll(now);
        if self.taken < self.most {
            return Admission::Granted;
        }
        let oldest = (self.newest + 1).saturating_sub(SLOTS as u64)..=self.newest;
        let first = oldest.into_iter().find(|slot| self.counts[Self::place(*slot)] > 0);
        let free = first.unwrap_or(self.newest) + SLOTS as u64;
        Admission::Denied { retry_at: UnixMillis(free * self.slot_ms) }
    }

    /// Takes a permit if one is free at `now`.
    pub fn admit(&mut self, now: UnixMillis) -> Admission {
        let admission = self.look(now);
        if admission == Admission::Granted {
            self.counts[Self::place(self.newest)] += 1;
            self.taken += 1;
        }
        admission
    }

    /// Gives the newest permit back: what it was taken for did not happen.
    pub fn give_back(&mut self) {
        let oldest = (self.newest + 1).saturating_sub(SLOTS as u64);
        let newest = (oldest..=self.newest).rev().find(|slot| self.counts[Self::place(*slot)] > 0);
        if let Some(slot) = newest {
            self.counts[Self::place(slot)] -= 1;
            self.taken -= 1;
        }
    }

    /// Permits that are free at `now`.
    pub fn remaining(&mut self, now: UnixMillis) -> u32 {
        self.roll(now);
        self.most - self.taken
    }

    /// Forgets slots that are older than the period. A clock that goes back changes nothing.
    fn roll(&mut self, now: UnixMillis) {
        let slot = now.0 / self.slot_ms;
        let passed = slot.saturating_sub(self.newest).min(SLOTS as u64);
        for gone in 1..=passed {
            let count = &mut self.counts[Self::place(slot + 1 - gone)];
            self.taken -= *count;
            *count = 0;
        }
        self.newest = self.newest.max(slot);
    }

    const fn place(slot: u64) -> usize {
        (slot % SLOTS as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn window(most: u32, period_s: u32) -> SlidingWindow {
        SlidingWindow::new(NonZeroU32::new(most).unwrap(), NonZeroU32::new(period_s).unwrap())
    }

    #[test]
    fn what_is_taken_comes_back_after_the_period_and_what_is_given_back_at_once() {
        let mut window = window(2, 60);
        let start = UnixMillis(1_767_323_000_000);
        assert_eq!(window.look(start), Admission::Granted);
        assert_eq!((window.admit(start), window.admit(start)), (Admission::Granted, Admission::Granted));
        let Admission::Denied { retry_at } = window.admit(start) else { panic!("three of two") };
        assert!((60_000..=62_000).contains(&retry_at.since(start)), "{retry_at:?}");
        assert_eq!(window.look(UnixMillis(retry_at.0 - 1)), Admission::Denied { retry_at });
        window.give_back();
        assert_eq!((window.remaining(start), window.admit(start)), (1, Admission::Granted));
        assert_eq!(window.admit(retry_at), Admission::Granted);
    }

    proptest! {
        #[test]
        fn no_stretch_of_a_period_has_more(
            most in 1u32..20, period_s in 1u32..120,
            pauses in proptest::collection::vec(0u64..5_000, 1..300),
        ) {
            let mut window = window(most, period_s);
            let mut now = UnixMillis(1_767_323_000_000);
            let mut granted: Vec<UnixMillis> = Vec::new();
            for pause in pauses {
                now = now.plus_ms(pause);
                if window.admit(now) == Admission::Granted {
                    granted.push(now);
                }
                let period_ms = u64::from(period_s) * 1_000;
                let recent = granted.iter().filter(|at| now.since(**at) < period_ms).count();
                prop_assert!(recent <= most as usize);
            }
        }

        #[test]
        fn after_the_time_that_was_told_a_permit_is_free(most in 1u32..5, period_s in 1u32..300, start in 0u64..1_000_000_000) {
            let mut window = window(most, period_s);
            let now = UnixMillis(start);
            while window.admit(now) == Admission::Granted {}
            let Admission::Denied { retry_at } = window.look(now) else { return Err(TestCaseError::fail("free")) };
            prop_assert!(retry_at.since(now) <= u64::from(period_s) * 1_000 * 60 / 59 + 2_000);
            prop_assert_eq!(window.look(retry_at), Admission::Granted);
        }
    }
}
