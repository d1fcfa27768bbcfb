//! How a connection has fared lately: share of processed calls and latency percentiles. Pure.
//!
//! Two windows take turns, so that a figure covers between one and two periods and old calls fade
//! without a list of them.

use hdrhistogram::Histogram;
use hermes_domain::UnixMillis;

/// Length of a window in milliseconds.
const WINDOW_MS: u64 = 60_000;
/// Latencies are counted from 1 ms up to this many milliseconds.
const LATENCY_MAX_MS: u64 = 60_000;

/// Figures of one connection.
#[derive(Debug)]
pub(crate) struct Health {
    current: Window,
    previous: Window,
    since: UnixMillis,
}

#[derive(Debug)]
struct Window {
    processed: u64,
    failed: u64,
    accepted: u64,
    receipts: u64,
    latency_ms: Histogram<u32>,
}

/// What operators see.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Figures {
    /// Share of calls that the provider processed, 0–1; `None` without calls.
    pub(crate) success_rate: Option<f64>,
    pub(crate) p50_ms: Option<u64>,
    pub(crate) p99_ms: Option<u64>,
}

/// Counts of one connection, over the same time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) processed: u64,
    /// Messages accepted at least one window ago: their receipts are due.
    pub(crate) receipts_due: u64,
    /// Receipts of any, at most as many as are due.
    pub(crate) receipts_came: u64,
}

impl Window {
    fn new() -> Self {
        #[expect(clippy::expect_used, reason = "constant bounds that the histogram accepts")]
        let latency_ms = Histogram::new_with_bounds(1, LATENCY_MAX_MS, 2).expect("constant bounds");
        Self { processed: 0, failed: 0, accepted: 0, receipts: 0, latency_ms }
    }

    fn clear(&mut self) {
        (self.processed, self.failed, self.accepted, self.receipts) = (0, 0, 0, 0);
        self.latency_ms.reset();
    }
}

impl Health {
    pub(crate) fn new() -> Self {
        Self { current: Window::new(), previous: Window::new(), since: UnixMillis(0) }
    }

    /// Counts a call that reached the provider.
    pub(crate) fn record(&mut self, processed: bool, latency_ms: u64, now: UnixMillis) {
        self.turn(now);
        self.current.processed += u64::from(processed);
        self.current.failed += u64::from(!processed);
        self.current.latency_ms.saturating_record(latency_ms.max(1));
    }

    /// Counts a message that the provider accepted.
    pub(crate) fn accepted(&mut self, now: UnixMillis) {
        self.turn(now);
        self.current.accepted += 1;
    }

    /// Counts a receipt that changed a message.
    pub(crate) fn receipt(&mut self, now: UnixMillis) {
        self.turn(now);
        self.current.receipts += 1;
    }

    /// The counts at `now`.
    pub(crate) fn counts(&mut self, now: UnixMillis) -> Counts {
        self.turn(now);
        let (current, previous) = (&self.current, &self.previous);
        let processed = current.processed + previous.processed;
        let receipts_due = previous.accepted;
        Counts {
            calls: processed + current.failed + previous.failed,
            processed,
            receipts_due,
            receipts_came: (current.receipts + previous.receipts).min(receipts_due),
        }
    }

    /// The figures at `now`.
    pub(crate) fn figures(&mut self, now: UnixMillis) -> Figures {
        self.turn(now);
        let processed = self.current.processed + self.previous.processed;
        let total = processed + self.current.failed + self.previous.failed;
        if total == 0 {
            return Figures { success_rate: None, p50_ms: None, p99_ms: None };
        }
        let mut both = self.current.latency_ms.clone();
        let _ = both.add(&self.previous.latency_ms); // Equal bounds: adding cannot fail.
        #[expect(clippy::cast_precision_loss, reason = "counts of two minutes fit an f64 exactly")]
        let success_rate = Some(processed as f64 / total as f64);
        let quantile = |share| Some(both.value_at_quantile(share));
        Figures { success_rate, p50_ms: quantile(0.5), p99_ms: quantile(0.99) }
    }

    fn turn(&mut self, now: UnixMillis) {
        let age = now.since(self.since);
        if age < WINDOW_MS {
            return;
        }
        std::mem::swap(&mut self.current, &mut self.previous);
        self.current.clear();
        if age >= 2 * WINDOW_MS {
            self.previous.clear();
        }
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(10_000_000);

    #[test]
    fn without_calls_there_are_no_figures() {
        let none = Figures { success_rate: None, p50_ms: None, p99_ms: None };
        assert_eq!(Health::new().figures(NOW), none);
    }

    #[test]
    fn percentiles_and_share_follow_the_calls() {
        let mut health = Health::new();
        for latency in 1..=100 {
            health.record(latency > 25, latency, NOW);
        }
        let figures = health.figures(NOW);
        assert_eq!(figures.success_rate, Some(0.75));
        assert_eq!((figures.p50_ms, figures.p99_ms), (Some(50), Some(99)));
    }

    #[test]
    fn receipts_are_due_one_window_after_their_messages() {
        let mut health = Health::new();
        for _ in 0..10 {
            health.accepted(NOW);
        }
        assert_eq!(health.counts(NOW).receipts_due, 0);
        health.receipt(NOW);
        let later = NOW.plus_ms(WINDOW_MS);
        health.receipt(later);
        let counts = health.counts(later);
        assert_eq!((counts.receipts_due, counts.receipts_came), (10, 2));
    }

    #[test]
    fn old_calls_fade_after_two_windows() {
        let mut health = Health::new();
        health.record(false, 50, NOW);
        health.record(true, 50, NOW.plus_ms(WINDOW_MS));
        assert_eq!(health.figures(NOW.plus_ms(WINDOW_MS)).success_rate, Some(0.5));
        health.record(true, 50, NOW.plus_ms(2 * WINDOW_MS));
        assert_eq!(health.figures(NOW.plus_ms(2 * WINDOW_MS)).success_rate, Some(1.0));
        assert_eq!(health.figures(NOW.plus_ms(9 * WINDOW_MS)).success_rate, None);
    }
}
