//! How a connection has fared, in classes.

use super::Reason;
use crate::UnixMillis;

/// Calls below which a share says nothing.
const CALLS_MIN: u64 = 20;
/// Shares of processed calls, in percent, below which a connection falls into the next class.
const SUCCESS_PERCENT: [u64; 3] = [95, 80, 50];
/// Accepted messages below which the share of their receipts says nothing.
const RECEIPTS_MIN: u64 = 50;
/// Share of receipts, in percent, below which a connection is not believed.
const TRUST_PERCENT: u64 = 50;

/// What is known of a connection. The default is that of one nobody has used.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Health {
    /// Held by an operator.
    pub held: bool,
    /// Its breaker lets nothing pass.
    pub is_open: bool,
    /// Closed by throttling until then.
    pub throttled_until: Option<UnixMillis>,
    /// Calls of the last minutes.
    pub calls: u64,
    /// Those that the provider processed.
    pub processed: u64,
    /// 99th percentile of their latencies, in milliseconds.
    pub latency_p99_ms: Option<u64>,
    /// Messages whose receipt is due.
    pub receipts_due: u64,
    /// Those whose receipt came.
    pub receipts_came: u64,
}

/// Classes; smaller is better.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Fitness {
    /// By the share of processed calls, 0–3.
    failing: u8,
    /// Receipts do not come.
    silent: bool,
    /// A call may outlast half the step.
    slow: bool,
}

impl Health {
    /// Classes for a step that has `left_ms` milliseconds.
    pub fn fitness(self, left_ms: u64) -> Fitness {
        let below = |percent: u64| self.processed * 100 < self.calls * percent;
        let failing = match self.calls {
            0..CALLS_MIN => 0,
            _ => SUCCESS_PERCENT.into_iter().filter(|percent| below(*percent)).count(),
        };
        let silent =
            self.receipts_due >= RECEIPTS_MIN && self.receipts_came * 100 < self.receipts_due * TRUST_PERCENT;
        let slow = self.calls >= CALLS_MIN && self.latency_p99_ms.is_some_and(|p99| p99 > left_ms / 2);
        Fitness { failing: u8::try_from(failing).unwrap_or(u8::MAX), silent, slow }
    }
}

impl Fitness {
    /// Nothing speaks against it.
    pub const GOOD: Self = Self { failing: 0, silent: false, slow: false };

    /// What speaks against it, if anything does.
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self { failing: 1.., .. } => Some(Reason::Failing),
            Self { silent: true, .. } => Some(Reason::Silent),
            Self { slow: true, .. } => Some(Reason::Slow),
            _ => None,
        }
    }
}
