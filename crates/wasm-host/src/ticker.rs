//! The thread that makes time pass for guests: one tick a millisecond while calls run, none when idle.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use wasmtime::Engine;

use crate::engine::EngineError;

/// Length of a tick.
const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call until the thread sleeps: waking it costs more than a call does.
const IDLE_TICKS_MAX: u32 = 100;

struct Shared {
    engine: Engine,
    running: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// Ticks the engine's epoch; stops when dropped.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

/// While it lives, time passes.
pub(crate) struct Ticking<'a>(&'a Shared);

impl Ticker {
    /// Starts the thread.
    pub(crate) fn start(engine: Engine) -> Result<Self, EngineError> {
        let shared = Arc::new(Shared {
            engine,
            running: AtomicUsize::new(0),
            asleep: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        let seen = Arc::clone(&shared);
        let thread = thread::Builder::new().name("hermes-guest-time".to_owned()).spawn(move || tick(&seen));
        Ok(Self { shared, thread: Some(thread.map_err(EngineError::Ticker)?) })
    }

    /// To be held during a call.
    pub(crate) fn ticking(&self) -> Ticking<'_> {
        // Sequential consistency: either this call sees the thread asleep, or the thread sees this call.
        self.shared.running.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.wake();
        }
        Ticking(&self.shared)
    }

    fn wake(&self) {
        if let Some(thread) = &self.thread {
            thread.thread().unpark();
        }
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.wake();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join(); // It cannot panic, and there is nobody left to tell.
        }
    }
}

fn tick(shared: &Shared) {
    let mut idle_ticks = 0;
    while !shared.stop.load(Ordering::SeqCst) {
        thread::park_timeout(TICK);
        shared.engine.increment_epoch();
        idle_ticks = if shared.running.load(Ordering::SeqCst) == 0 { idle_ticks + 1 } else { 0 };
        if idle_ticks > IDLE_TICKS_MAX {
            sleep_until_woken(shared);
            idle_ticks = 0;
        }
    }
}

fn sleep_until_woken(shared: &Shared) {
    shared.asleep.store(true, Ordering::SeqCst);
    while shared.running.load(Ordering::SeqCst) == 0 && !shared.stop.load(Ordering::SeqCst) {
        thread::park();
    }
    shared.asleep.store(false, Ordering::SeqCst);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_thread_sleeps_wakes_for_a_call_and_stops() {
        let ticker = Ticker::start(Engine::default()).unwrap();
        while !ticker.shared.asleep.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        let ticking = ticker.ticking();
        while ticker.shared.asleep.load(Ordering::SeqCst) {
            thread::yield_now();
        }
        drop(ticking);
        drop(ticker);
    }
}
