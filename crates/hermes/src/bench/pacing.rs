//! When messages are meant to be sent.
//!
//! A ticket is the intended start of one message. An open loop issues them by the clock, from a thread of its
//! own that nothing else can hold up; a closed loop issues one for each message that made room. Whoever
//! takes a ticket late measures from the ticket all the same, so a slow server cannot slow down the
//! measurement with itself (no coordinated omission).

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rand::{Rng as _, SeedableRng as _, rngs::SmallRng};
use tokio::sync::Semaphore;

use super::options::Spacing;

/// Longest sleep of the pacing thread, so that it notices the end of a run.
const NAP: Duration = Duration::from_millis(100);

/// Offsets of intended starts from the beginning of a run; never ends.
#[derive(Debug)]
pub(super) struct Schedule {
    spacing: Spacing,
    distance_s: f64,
    next_s: f64,
    random: SmallRng,
}

/// Intended starts that have come and that nobody has taken yet.
#[derive(Debug, Default)]
pub(super) struct Tickets {
    due: Mutex<VecDeque<Instant>>,
    ready: Ready,
}

#[derive(Debug)]
struct Ready(Semaphore);

impl Default for Ready {
    fn default() -> Self {
        Self(Semaphore::new(0))
    }
}

/// The thread that issues tickets by the clock.
#[derive(Debug)]
pub(super) struct Pacer {
    thread: JoinHandle<u64>,
    stop: Arc<AtomicBool>,
}

// === impl Schedule ===

impl Schedule {
    pub(super) fn new(per_s: f64, spacing: Spacing, seed: u64) -> Self {
        Self { spacing, distance_s: 1.0 / per_s, next_s: 0.0, random: SmallRng::seed_from_u64(seed) }
    }
}

impl Iterator for Schedule {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.next_s;
        self.next_s += match self.spacing {
            Spacing::Even => self.distance_s,
            // The distances of a Poisson process are exponential; 1 - u is never zero.
            Spacing::Poisson => -(1.0 - self.random.random::<f64>()).ln() * self.distance_s,
        };
        Some(Duration::from_secs_f64(now))
    }
}

// === impl Tickets ===

impl Tickets {
    /// A message is meant to be sent at `at`.
    pub(super) fn issue(&self, at: Instant) {
        self.due.lock().push_back(at);
        self.ready.0.add_permits(1);
    }

    /// The oldest ticket; waits for one. `None` once closed.
    pub(super) async fn take(&self) -> Option<Instant> {
        self.ready.0.acquire().await.ok()?.forget();
        self.due.lock().pop_front()
    }

    /// Whether every ticket has been taken.
    pub(super) fn is_empty(&self) -> bool {
        self.due.lock().is_empty()
    }

    /// Hands out no more; returns those that nobody took.
    pub(super) fn close(&self) -> Vec<Instant> {
        self.ready.0.close();
        self.due.lock().drain(..).collect()
    }
}

// === impl Pacer ===

impl Pacer {
    /// Issues tickets for `schedule` from `start` on, those meant for before `length` has passed and at most
    /// `count`.
    ///
    /// # Errors
    /// When no thread can be had.
    pub(super) fn start(
        tickets: Arc<Tickets>,
        schedule: Schedule,
        start: Instant,
        length: Duration,
        count: Option<u64>,
    ) -> std::io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let asked = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("bench-pacer".to_owned()).spawn(move || {
            let planned = schedule.take_while(|offset| *offset < length);
            let mut issued = 0;
            for offset in
                planned.take(count.and_then(|count| usize::try_from(count).ok()).unwrap_or(usize::MAX))
            {
                if !sleep_until(start + offset, &asked) {
                    break;
                }
                tickets.issue(start + offset);
                issued += 1;
            }
            issued
        })?;
        Ok(Self { thread, stop })
    }

    /// Whether every ticket of the schedule has been issued.
    pub(super) fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Ends the schedule now; returns how many tickets it issued.
    pub(super) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap_or_default() // It cannot panic; and if it did, the counts would show it.
    }
}

/// `false` when asked to stop meanwhile.
fn sleep_until(at: Instant, stop: &AtomicBool) -> bool {
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let left = at.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return true;
        }
        std::thread::sleep(left.min(NAP));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn even_spacing_is_exact_and_begins_at_once() {
        let offsets: Vec<_> =
            Schedule::new(4.0, Spacing::Even, 1).take(5).map(|offset| offset.as_millis()).collect();
        assert_eq!(offsets, [0, 250, 500, 750, 1_000]);
    }

    #[test]
    fn poisson_spacing_keeps_the_rate_and_varies_as_much_as_its_mean() {
        let offsets: Vec<f64> = Schedule::new(1_000.0, Spacing::Poisson, 7)
            .take(50_001)
            .map(|offset| offset.as_secs_f64())
            .collect();
        let gaps: Vec<f64> = offsets.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let mean = gaps.iter().sum::<f64>() / gaps.len() as f64;
        let deviation = (gaps.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / gaps.len() as f64).sqrt();
        assert!((mean - 0.001).abs() < 0.000_03, "mean {mean}");
        assert!((deviation / mean - 1.0).abs() < 0.05, "deviation {deviation}");
        let again: Vec<f64> = Schedule::new(1_000.0, Spacing::Poisson, 7)
            .take(50_001)
            .map(|offset| offset.as_secs_f64())
            .collect();
        assert_eq!(offsets, again, "a seed gives the same schedule");
    }

    #[tokio::test]
    async fn a_pacer_issues_what_was_meant_even_when_nobody_takes_it() {
        let (tickets, start) = (Arc::new(Tickets::default()), Instant::now());
        let schedule = Schedule::new(1_000.0, Spacing::Even, 1);
        let pacer =
            Pacer::start(Arc::clone(&tickets), schedule, start, Duration::from_millis(20), None).unwrap();
        let first = tickets.take().await.unwrap();
        while !pacer.is_done() {
            tokio::task::yield_now().await;
        }
        assert_eq!((first, pacer.stop()), (start, 20));
        let left = tickets.close();
        assert_eq!((left.len(), left[18]), (19, start + Duration::from_millis(19)));
        assert_eq!(tickets.take().await, None);
    }

    #[test]
    fn a_pacer_can_be_stopped_and_counts() {
        let tickets = Arc::new(Tickets::default());
        let schedule = Schedule::new(0.01, Spacing::Even, 1);
        let long = Duration::from_secs(3_600);
        let pacer = Pacer::start(Arc::clone(&tickets), schedule, Instant::now(), long, None).unwrap();
        while tickets.is_empty() {
            std::thread::yield_now();
        }
        assert_eq!(pacer.stop(), 1);
    }
}
