//! How much processor time a call has used: a guest is not to blame when its thread had to wait.

use std::time::{Duration, Instant};

/// Wall time after which a call ends however little processor time it got, as a multiple of its limit.
const WALL_FACTOR: u32 = 50;

/// Started with a call.
pub(crate) struct Stopwatch {
    wall: Instant,
    cpu: Duration,
}

impl Stopwatch {
    /// Starts on this thread; the call must stay on it.
    pub(crate) fn start() -> Self {
        Self { wall: Instant::now(), cpu: thread_time() }
    }

    /// What is left of `limit`; `None` when it is used up.
    pub(crate) fn left(&self, limit: Duration) -> Option<Duration> {
        if self.wall.elapsed() > limit * WALL_FACTOR {
            return None;
        }
        limit.checked_sub(thread_time().saturating_sub(self.cpu)).filter(|left| !left.is_zero())
    }
}

#[cfg(unix)]
fn thread_time() -> Duration {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    let seconds = u64::try_from(time.tv_sec).unwrap_or_default();
    Duration::new(seconds, u32::try_from(time.tv_nsec).unwrap_or_default())
}

#[cfg(not(unix))]
fn thread_time() -> Duration {
    static START: std::sync::OnceLock<Instant> = std::sync::OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}
