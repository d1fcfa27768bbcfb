//! A clock that stands still until it is moved.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use hermes_domain::UnixMillis;
use hermes_ports::Clock;

/// Tells the time it was given.
#[derive(Debug)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `at`.
    pub const fn at(at: UnixMillis) -> Self {
        Self(AtomicU64::new(at.0))
    }

    /// Moves it forwards and returns the new time.
    pub fn advance(&self, by: Duration) -> UnixMillis {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        UnixMillis(self.0.fetch_add(ms, Ordering::SeqCst).saturating_add(ms))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(self.0.load(Ordering::SeqCst))
    }
}
