//! A limit of so many in any stretch of a period, as counts of short slots.

use std::num::NonZeroU32;

use crate::{UnixMillis, rate_window::Admission};

/// Slots that a period is cut into: a permit counts for at most one slot longer than the period, and only if there is a
/// newer one in its slot.
const SLOTS: usize = 60;

/// At most `most` in any period. Takes 500 bytes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SlidingWindow {
    most: u32,
    period_ms: u64,
    slot_ms: u64,
    /// Counts of the newest slots; slot `n` since the epoch stands at `n % SLOTS`.
    counts: [u32; SLOTS],
    /// When the newest permit of each slot was taken, in milliseconds since the slot's beginning.
    offsets_ms: [u32; SLOTS],
    newest: u64,
    taken: u32,
}

impl SlidingWindow {
    /// At most `most` in any stretch of `period_s` seconds.
    pub fn new(most: NonZeroU32, period_s: NonZeroU32) -> Self {
        let period_ms = u64::from(period_s.get()) * 1_000;
        Self {
            most: most.get(),
            period_ms,
            // One slot more than the period has: a place is not needed again before what it counts is over.
            slot_ms: period_ms.div_ceil(SLOTS as u64 - 1),
            counts: [0; SLOTS],
            offsets_ms: [0; SLOTS],
            newest: 0,
            taken: 0,
        }
    }

    /// Whether a permit is free at `now`; takes none. A denial is over at exactly the time that it names, which is at most
    /// a period away unless the clock went back.
    pub fn look(&mut self, now: UnixMillis) -> Admission {
        self.roll(now);
        if self.taken < self.most {
            return Admission::Granted;
        }
        let first = self.slots().find(|slot| self.counts[Self::place(*slot)] > 0);
        Admission::Denied { retry_at: UnixMillis(self.end_ms(first.unwrap_or(self.newest))) }
    }

    /// Takes a permit if one is free at `now`.
    pub fn admit(&mut self, now: UnixMillis) -> Admission {
        let admission = self.look(now);
        if admission == Admission::Granted {
            let place = Self::place(self.newest);
            let offset_ms = now.0.saturating_sub(self.newest * self.slot_ms);
            self.counts[place] += 1;
            self.offsets_ms[place] = self.offsets_ms[place].max(u32::try_from(offset_ms).unwrap_or(u32::MAX));
            self.taken += 1;
        }
        admission
    }

    /// Gives the newest permit back: what it was taken for did not happen.
    pub fn give_back(&mut self) {
        let newest = self.slots().rev().find(|slot| self.counts[Self::place(*slot)] > 0);
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

    /// Forgets slots whose permits are all older than the period. A clock that goes back changes nothing.
    fn roll(&mut self, now: UnixMillis) {
        for slot in self.slots() {
            let place = Self::place(slot);
            if self.counts[place] > 0 && self.end_ms(slot) <= now.0 {
                self.taken -= self.counts[place];
                self.counts[place] = 0;
            }
        }
        let slot = now.0 / self.slot_ms;
        // Each new slot takes the place of one that is over; nothing is counted there any more.
        for new in self.newest + 1..=slot.min(self.newest + SLOTS as u64) {
            self.offsets_ms[Self::place(new)] = 0;
        }
        self.newest = self.newest.max(slot);
    }

    /// The slots that are counted, oldest first.
    fn slots(&self) -> std::ops::RangeInclusive<u64> {
        (self.newest + 1).saturating_sub(SLOTS as u64)..=self.newest
    }

    /// When the last permit of a slot is over, in milliseconds since 1970.
    fn end_ms(&self, slot: u64) -> u64 {
        slot * self.slot_ms + u64::from(self.offsets_ms[Self::place(slot)]) + self.period_ms
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
        assert_eq!(retry_at, start.plus_ms(60_000));
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
        fn a_denial_names_the_time_at_which_it_is_over(
            most in 1u32..4, period_s in 1u32..120,
            pauses in proptest::collection::vec(0u64..9_000, 1..100),
        ) {
            let mut window = window(most, period_s);
            let mut now = UnixMillis(1_767_323_000_000);
            for pause in pauses {
                now = now.plus_ms(pause);
                if let Admission::Denied { retry_at } = window.admit(now) {
                    prop_assert!((1..=u64::from(period_s) * 1_000).contains(&retry_at.since(now)));
                    let before = window.clone().look(UnixMillis(retry_at.0 - 1));
                    prop_assert_eq!(before, Admission::Denied { retry_at });
                    prop_assert_eq!(window.clone().look(retry_at), Admission::Granted);
                }
            }
        }

        #[test]
        fn after_the_time_that_was_told_a_permit_is_free(most in 1u32..5, period_s in 1u32..300, start in 0u64..1_000_000_000) {
            let mut window = window(most, period_s);
            let now = UnixMillis(start);
            while window.admit(now) == Admission::Granted {}
            let Admission::Denied { retry_at } = window.look(now) else { return Err(TestCaseError::fail("free")) };
            prop_assert!(retry_at.since(now) <= u64::from(period_s) * 1_000);
            prop_assert_eq!(window.look(retry_at), Admission::Granted);
        }
    }
}
