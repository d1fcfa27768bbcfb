//! Capped exponential delays with injected jitter.
//!
//! Randomness is an argument, so a delay is a pure function and tests are exact.

use std::time::Duration;

/// Delays that double from `min` up to `max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    min: Duration,
    max: Duration,
}

/// Why a [`Backoff`] was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBackoff {
    /// A zero minimum would double to zero for ever: a busy loop.
    #[error("the shortest delay must be greater than zero")]
    ZeroMin,
    /// The bounds are the wrong way round.
    #[error("the longest delay must not be shorter than the shortest")]
    MaxBelowMin,
}

/// How much of the random part of a delay to take, from none to all of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Jitter(f64);

// === impl Jitter ===

impl Jitter {
    /// The exact exponential delay.
    pub const NONE: Self = Self(0.0);

    /// Takes a number in `0.0..=1.0`; anything outside is clamped, not-a-number counts as none.
    #[must_use]
    pub fn from_unit(unit: f64) -> Self {
        if unit.is_nan() { Self::NONE } else { Self(unit.clamp(0.0, 1.0)) }
    }

    /// Takes any 64 random bits.
    #[must_use]
    pub fn from_bits(bits: u64) -> Self {
        // The upper 53 bits fill an f64's mantissa exactly; the result is below 1.
        #[expect(clippy::cast_precision_loss, reason = "53 bits fit an f64 exactly")]
        let unit = (bits >> 11) as f64 / (1_u64 << 53) as f64;
        Self(unit)
    }
}

// === impl Backoff ===

impl Backoff {
    /// Delays between `min` and `max`.
    ///
    /// # Errors
    /// When `min` is zero or `max` is below it.
    pub fn try_new(min: Duration, max: Duration) -> Result<Self, InvalidBackoff> {
        if min.is_zero() {
            return Err(InvalidBackoff::ZeroMin);
        }
        if max < min {
            return Err(InvalidBackoff::MaxBelowMin);
        }
        Ok(Self { min, max })
    }

    /// The delay after the `failures`-th failure in a row; 0 is treated as 1.
    ///
    /// Without jitter it is `min · 2^(failures-1)`, at most `max`. Jitter takes away up to half,
    /// so the delay never exceeds the cap and never falls below half of the exact one: many keys
    /// that failed together do not come back together.
    #[must_use]
    pub fn delay(&self, failures: u32, jitter: Jitter) -> Duration {
        let doublings = failures.saturating_sub(1).min(31);
        let exact = self.min.saturating_mul(1 << doublings).min(self.max);
        exact - exact.mul_f64(jitter.0 / 2.0)
    }

    /// The longest delay that can be returned.
    #[must_use]
    pub const fn max(&self) -> Duration {
        self.max
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn backoff() -> Backoff {
        Backoff::try_new(Duration::from_secs(1), Duration::from_secs(300)).unwrap()
    }

    #[test]
    fn delays_double_until_the_cap() {
        let seconds: Vec<u64> =
            [0, 1, 2, 3, 9, 10, u32::MAX].map(|n| backoff().delay(n, Jitter::NONE).as_secs()).into();
        assert_eq!(seconds, [1, 1, 2, 4, 256, 300, 300]);
    }

    #[test]
    fn full_jitter_takes_half() {
        assert_eq!(backoff().delay(2, Jitter::from_unit(1.0)), Duration::from_secs(1));
    }

    #[test]
    fn impossible_bounds_are_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(Backoff::try_new(Duration::ZERO, second), Err(InvalidBackoff::ZeroMin));
        assert_eq!(Backoff::try_new(second, second / 2), Err(InvalidBackoff::MaxBelowMin));
    }

    #[test]
    fn bits_map_onto_the_unit_interval() {
        assert_eq!(Jitter::from_bits(0), Jitter::NONE);
        assert!(Jitter::from_bits(u64::MAX).0 < 1.0);
        assert_eq!(Jitter::from_bits(1 << 63), Jitter::from_unit(0.5));
        assert_eq!(Jitter::from_unit(f64::NAN), Jitter::NONE);
    }

    proptest! {
        #[test]
        fn a_delay_stays_between_half_and_the_cap(failures: u32, bits: u64) {
            let delay = backoff().delay(failures, Jitter::from_bits(bits));
            prop_assert!(delay >= Duration::from_millis(500));
            prop_assert!(delay <= backoff().max());
        }
    }
}
