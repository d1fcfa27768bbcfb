//! Whether a connection takes another call now: hold, slots, throttling, breaker, rate. Pure.

use hermes_domain::{
    UnixMillis,
    breaker::{Breaker, BreakerPolicy, BreakerState},
    rate_window::{Admission as Rate, RateWindow},
};
use hermes_supervision::{Backoff, Jitter};
use std::time::Duration;

/// Shortest and longest pause that a provider's `Retry-After` is taken for.
const THROTTLE_MIN: Duration = Duration::from_secs(1);
const THROTTLE_MAX: Duration = Duration::from_secs(15 * 60);
/// Longest pause when a provider throttles without saying for how long.
const THROTTLE_UNTOLD_MAX: Duration = Duration::from_secs(60);
/// When to ask again where only an event can help: a release, or an operator.
const SLOT_RETRY_MS: u64 = 100;
const HELD_RETRY_MS: u64 = 5_000;

/// What a call's end says about the provider.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// It answered; whatever it said, it works.
    Worked,
    /// It failed: server error, time-out, lost or refused connection.
    Faulted,
    /// It asks to wait, perhaps for so long (milliseconds).
    Throttled(Option<u64>),
    /// Nothing: the call did not reach it, or ended for reasons of our own.
    Neutral,
}

/// Why no call may start now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Refused {
    /// An operator holds it.
    Held,
    /// All slots are taken; the end of a call frees one.
    NoSlot,
    /// Throttled, broken or over its rate until then.
    Until(UnixMillis),
}

/// The gate of one connection.
#[derive(Debug)]
pub(crate) struct Admission {
    held: bool,
    rate_per_s: u32,
    slots_max: u32,
    running: u32,
    window: RateWindow,
    breaker: Breaker,
    /// Throttled answers in a row, each after the pause before it was over.
    throttled: u32,
}

impl Refused {
    /// When to ask again, as far as that can be known.
    pub(crate) const fn retry_at(self, now: UnixMillis) -> UnixMillis {
        match self {
            Self::Held => now.plus_ms(HELD_RETRY_MS),
            Self::NoSlot => now.plus_ms(SLOT_RETRY_MS),
            Self::Until(at) => at,
        }
    }
}

impl Admission {
    pub(crate) const fn new(rate_per_s: u32, slots_max: u32, breaker: BreakerPolicy) -> Self {
        Self {
            held: false,
            rate_per_s,
            slots_max,
            running: 0,
            window: RateWindow::per_second(rate_per_s),
            breaker: Breaker::new(breaker),
            throttled: 0,
        }
    }

    /// Takes over changed settings. Running calls, the breaker and a throttle stay as they are.
    pub(crate) fn configure(&mut self, held: bool, rate_per_s: u32, now: UnixMillis) {
        self.held = held;
        if self.rate_per_s != rate_per_s {
            let closed = self.window.closed_until(now);
            self.rate_per_s = rate_per_s;
            self.window = RateWindow::per_second(rate_per_s);
            if let Some(until) = closed {
                self.window.close_until(until);
            }
        }
    }

    /// Starts a call. Each success is ended by exactly one [`Self::finish`] or [`Self::give_back`].
    pub(crate) fn admit(&mut self, now: UnixMillis) -> Result<(), Refused> {
        // What has no side effect comes first: a breaker counts the probes that it admits.
        if self.held {
            return Err(Refused::Held);
        }
        if let Some(until) = self.window.closed_until(now) {
            return Err(Refused::Until(until));
        }
        if self.running >= self.slots_max {
            return Err(Refused::NoSlot);
        }
        self.breaker.admit(now).map_err(Refused::Until)?;
        match self.window.admit(now) {
            Rate::Granted => {
                self.running += 1;
                Ok(())
            }
            Rate::Denied { retry_at } => {
                self.breaker.give_back();
                Err(Refused::Until(retry_at))
            }
        }
    }

    /// A call was admitted but never made.
    pub(crate) const fn give_back(&mut self) {
        self.running = self.running.saturating_sub(1);
        self.window.give_back();
        self.breaker.give_back();
    }

    /// A call has ended.
    pub(crate) fn finish(&mut self, verdict: Verdict, now: UnixMillis) {
        self.running = self.running.saturating_sub(1);
        match verdict {
            Verdict::Worked => {
                self.throttled = 0;
                self.breaker.record_success(now);
            }
            Verdict::Faulted => self.breaker.record_fault(now),
            Verdict::Neutral => self.breaker.give_back(),
            Verdict::Throttled(asked_ms) => {
                self.breaker.record_success(now);
                self.throttle(asked_ms, now);
            }
        }
    }

    fn throttle(&mut self, asked_ms: Option<u64>, now: UnixMillis) {
        // Calls that were under way together are throttled together; that is one refusal, not many.
        if self.window.closed_until(now).is_none() {
            self.throttled = self.throttled.saturating_add(1);
        }
        let pause = match asked_ms.map(Duration::from_millis) {
            Some(asked) => asked.clamp(THROTTLE_MIN, THROTTLE_MAX),
            None => untold_pause(self.throttled),
        };
        self.window.close_until(now.plus_ms(u64::try_from(pause.as_millis()).unwrap_or(u64::MAX)));
    }

    pub(crate) const fn is_held(&self) -> bool {
        self.held
    }

    pub(crate) const fn running(&self) -> u32 {
        self.running
    }

    pub(crate) const fn rate_per_s(&self) -> u32 {
        self.rate_per_s
    }

    pub(crate) fn throttled_until(&self, now: UnixMillis) -> Option<UnixMillis> {
        self.window.closed_until(now)
    }

    pub(crate) fn breaker(&self, now: UnixMillis) -> BreakerState {
        self.breaker.state(now)
    }
}

fn untold_pause(times: u32) -> Duration {
    #[expect(clippy::expect_used, reason = "the bounds are constants, in order and not zero")]
    let backoff = Backoff::try_new(THROTTLE_MIN, THROTTLE_UNTOLD_MAX).expect("constant bounds");
    backoff.delay(times, Jitter::NONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    fn gate() -> Admission {
        Admission::new(1_000, 3, BreakerPolicy::default())
    }

    #[test]
    fn slots_are_freed_by_the_end_of_calls() {
        let mut gate = gate();
        for _ in 0..3 {
            assert_eq!(gate.admit(NOW), Ok(()));
        }
        assert_eq!(gate.admit(NOW), Err(Refused::NoSlot));
        gate.finish(Verdict::Worked, NOW);
        assert_eq!((gate.admit(NOW), gate.running()), (Ok(()), 3));
    }

    #[test]
    fn a_hold_is_above_everything_and_ends_with_its_release() {
        let mut gate = gate();
        gate.configure(true, 1_000, NOW);
        assert_eq!(gate.admit(NOW), Err(Refused::Held));
        gate.configure(false, 1_000, NOW);
        assert_eq!(gate.admit(NOW), Ok(()));
    }

    #[test]
    fn a_throttle_closes_the_gate_without_tripping_the_breaker() {
        let mut gate = gate();
        for _ in 0..30 {
            let _ = gate.admit(NOW);
            gate.finish(Verdict::Throttled(Some(7_000)), NOW);
        }
        assert_eq!(gate.breaker(NOW), BreakerState::Closed);
        assert_eq!(gate.admit(NOW.plus_ms(6_999)), Err(Refused::Until(NOW.plus_ms(7_000))));
        assert_eq!(gate.admit(NOW.plus_ms(7_000)), Ok(()));
    }

    #[test]
    fn what_a_provider_asks_for_is_clamped() {
        for (asked, pause) in [(Some(1), 1_000), (Some(86_400_000), 900_000), (None, 1_000)] {
            let mut gate = gate();
            gate.finish(Verdict::Throttled(asked), NOW);
            assert_eq!(gate.throttled_until(NOW), Some(NOW.plus_ms(pause)), "asked {asked:?}");
        }
    }

    #[test]
    fn untold_pauses_double_but_a_crowd_counts_once() {
        let (mut gate, mut now) = (gate(), NOW);
        for pause in [1_000, 2_000, 4_000] {
            for _ in 0..10 {
                gate.finish(Verdict::Throttled(None), now);
            }
            assert_eq!(gate.throttled_until(now), Some(now.plus_ms(pause)));
            now = now.plus_ms(pause);
        }
    }

    #[test]
    fn a_new_rate_keeps_an_old_throttle() {
        let mut gate = gate();
        gate.finish(Verdict::Throttled(Some(9_000)), NOW);
        gate.configure(false, 5, NOW);
        assert_eq!(gate.throttled_until(NOW), Some(NOW.plus_ms(9_000)));
        assert_eq!(gate.rate_per_s(), 5);
    }

    #[test]
    fn a_permit_given_back_costs_no_rate_and_no_probe() {
        let mut gate = Admission::new(1, 9, BreakerPolicy::default());
        for _ in 0..5 {
            assert_eq!(gate.admit(NOW), Ok(()));
            gate.give_back();
        }
        assert_eq!((gate.admit(NOW), gate.running()), (Ok(()), 1));
        assert_eq!(gate.admit(NOW), Err(Refused::Until(NOW.plus_ms(1_000))));
    }

    #[test]
    fn neutral_ends_neither_open_nor_close_the_breaker() {
        let mut gate = Admission::new(100_000, 100, BreakerPolicy::default());
        for _ in 0..100 {
            let _ = gate.admit(NOW);
            gate.finish(Verdict::Neutral, NOW);
        }
        assert_eq!(gate.breaker(NOW), BreakerState::Closed);
        for _ in 0..10 {
            gate.finish(Verdict::Faulted, NOW);
        }
        assert_eq!(gate.breaker(NOW), BreakerState::Open);
        assert!(matches!(gate.admit(NOW), Err(Refused::Until(_))));
    }
}
