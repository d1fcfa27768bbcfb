//! Latencies as percentiles.

use std::{fmt, time::Duration};

use hdrhistogram::Histogram;
use serde::Serialize;

/// The longest latency told apart from longer ones, in microseconds: an hour.
const LONGEST_US: u64 = 3_600_000_000;
/// Values are kept to one part in a thousand.
const DIGITS: u8 = 3;

/// Latencies in microseconds.
#[derive(Debug, Clone)]
pub(super) struct Latencies(Histogram<u64>);

/// Percentiles in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Percentiles {
    pub(super) samples: u64,
    pub(super) p50: f64,
    pub(super) p90: f64,
    pub(super) p99: f64,
    pub(super) p99_9: f64,
    pub(super) max: f64,
}

impl Default for Latencies {
    fn default() -> Self {
        #[expect(clippy::expect_used, reason = "the bounds are constants that the histogram accepts")]
        Self(Histogram::new_with_bounds(1, LONGEST_US, DIGITS).expect("valid bounds"))
    }
}

impl Latencies {
    pub(super) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX).max(1));
    }

    /// Percentiles of what is left after taking `known` off every latency; `None` without samples.
    pub(super) fn less(&self, known: Duration) -> Option<Percentiles> {
        let known_us = u64::try_from(known.as_micros()).unwrap_or(u64::MAX);
        let ms = |us: u64| us.saturating_sub(known_us) as f64 / 1_000.0;
        let at = |quantile| ms(self.0.value_at_quantile(quantile));
        (!self.0.is_empty()).then(|| Percentiles {
            samples: self.0.len(),
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: ms(self.0.max()),
        })
    }
}

impl fmt::Display for Percentiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { samples, p50, p90, p99, p99_9, max } = self;
        write!(
            f,
            "p50 {p50:.1}  p90 {p90:.1}  p99 {p99:.1}  p99.9 {p99_9:.1}  max {max:.1} ms  ({samples} samples)"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_within_a_thousandth_and_less_the_known_wait() {
        let mut latencies = Latencies::default();
        (1..=1_000).for_each(|ms| latencies.record(Duration::from_millis(ms)));
        let all = latencies.less(Duration::ZERO).unwrap();
        assert_eq!(all.samples, 1_000);
        for (found, exact) in
            [(all.p50, 500.0), (all.p90, 900.0), (all.p99, 990.0), (all.p99_9, 999.0), (all.max, 1_000.0)]
        {
            assert!((found - exact).abs() <= exact / 900.0, "{found} instead of {exact}");
        }
        let rest = latencies.less(Duration::from_millis(600)).unwrap();
        assert!((rest.p90 - 300.0).abs() < 1.0, "{}", rest.p90);
        assert!(rest.p50.abs() < f64::EPSILON, "never negative");
    }

    #[test]
    fn no_samples_make_no_figures() {
        assert_eq!(Latencies::default().less(Duration::ZERO), None);
    }
}
