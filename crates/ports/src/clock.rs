//! Time as the product counts it: wall time at boot, advanced by the monotonic clock.

use std::{
    fmt,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use hermes_domain::UnixMillis;

/// Tells the time. Never goes backwards.
pub trait Clock: Send + Sync + fmt::Debug {
    /// Now.
    fn now(&self) -> UnixMillis;
}

/// The system's clock. A step of the wall clock after boot is not followed.
#[derive(Debug, Clone, Copy)]
pub struct SystemClock {
    boot_wall: UnixMillis,
    boot: Instant,
}

impl SystemClock {
    /// Reads the wall clock once.
    pub fn at_boot() -> Self {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            boot_wall: UnixMillis(u64::try_from(wall.as_millis()).unwrap_or(u64::MAX)),
            boot: Instant::now(),
        }
    }

    /// How far the wall clock has moved away from this one, in milliseconds; positive when it is ahead.
    pub fn wall_drift_ms(&self) -> i64 {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = i64::try_from(wall.as_millis()).unwrap_or(i64::MAX);
        wall - i64::try_from(self.now().0).unwrap_or(i64::MAX)
    }
}

impl Clock for SystemClock {
    fn now(&self) -> UnixMillis {
        self.boot_wall.plus_ms(u64::try_from(self.boot.elapsed().as_millis()).unwrap_or(u64::MAX))
    }
}
