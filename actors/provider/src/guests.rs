//! Where a connection's guests run.
//!
//! A guest is done within microseconds, so it runs inside the calling task. One that has hit its time
//! limit may do so again with every call; until its adapter is replaced, that connection's guests run on
//! a blocking thread, one at a time, so that two loops cannot stall the runtime.

use std::{sync::Arc, time::Duration};

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::adapter::AdapterFault;
use parking_lot::Mutex;
use tokio::{sync::Semaphore, time::timeout};

/// The place for the guests of one connection.
#[derive(Debug)]
pub(crate) struct Guests {
    /// The build that hit its time limit; empty while guests are trusted.
    slow: Mutex<Option<AdapterVersion>>,
    turn: Arc<Semaphore>,
}

impl Guests {
    pub(crate) fn new() -> Self {
        Self { slow: Mutex::new(None), turn: Arc::new(Semaphore::new(1)) }
    }

    /// Runs a guest of build `version`; waits at most `patience` for its turn, if it needs one.
    ///
    /// # Errors
    /// The guest's fault; `Busy` when its turn did not come in time.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        version: Option<AdapterVersion>,
        patience: Duration,
        guest: impl FnOnce() -> Result<T, AdapterFault> + Send + 'static,
    ) -> Result<T, AdapterFault> {
        let done = if self.is_slow(version) { self.in_turn(patience, guest).await } else { guest() };
        if let Err(AdapterFault::TimeLimit { .. }) = &done {
            *self.slow.lock() = version;
        }
        done
    }

    /// Whether guests of `version` run one at a time. Another build starts with a clean slate.
    pub(crate) fn is_slow(&self, version: Option<AdapterVersion>) -> bool {
        let mut slow = self.slow.lock();
        if *slow != version {
            *slow = None;
        }
        slow.is_some()
    }

    async fn in_turn<T: Send + 'static>(
        &self,
        patience: Duration,
        guest: impl FnOnce() -> Result<T, AdapterFault> + Send + 'static,
    ) -> Result<T, AdapterFault> {
        let turn = timeout(patience, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else { return Err(AdapterFault::Busy) };
        let running = tokio::task::spawn_blocking(move || {
            // The turn ends with the guest, even when nobody waits for it any more.
            let _turn = turn;
            guest()
        });
        running.await.unwrap_or_else(|_| Err(AdapterFault::Trap("the host panicked".to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const PATIENCE: Duration = Duration::from_secs(5);
    const V1: Option<AdapterVersion> = Some(AdapterVersion(1));
    const V2: Option<AdapterVersion> = Some(AdapterVersion(2));

    async fn hit_the_limit(guests: &Guests) {
        let fault = guests.run(V1, PATIENCE, || Err::<(), _>(AdapterFault::TimeLimit { limit_ms: 10 })).await;
        assert!(fault.is_err());
    }

    #[tokio::test]
    async fn after_a_time_limit_guests_run_one_at_a_time_until_the_build_changes() {
        let guests = Guests::new();
        hit_the_limit(&guests).await;
        assert!(guests.is_slow(V1));
        static INSIDE: AtomicUsize = AtomicUsize::new(0);
        let guest = || {
            let others = INSIDE.fetch_add(1, Ordering::SeqCst);
            std::thread::yield_now();
            INSIDE.fetch_sub(1, Ordering::SeqCst);
            Ok(others)
        };
        let calls = (0..50).map(|_| guests.run(V1, PATIENCE, guest));
        for others in futures::future::join_all(calls).await {
            assert_eq!(others, Ok(0));
        }
        assert!(!guests.is_slow(V2));
        assert!(!guests.is_slow(V1), "a new build cleared it");
    }

    #[tokio::test]
    async fn a_turn_that_does_not_come_is_busy_and_a_panic_is_a_trap() {
        let guests = Guests::new();
        hit_the_limit(&guests).await;
        let turn = Arc::clone(&guests.turn).acquire_owned().await.unwrap();
        assert_eq!(guests.run(V1, Duration::ZERO, || Ok(())).await, Err(AdapterFault::Busy));
        drop(turn);
        let trapped = guests.run(V1, PATIENCE, || -> Result<(), _> { panic!("host bug") }).await;
        assert!(matches!(trapped, Err(AdapterFault::Trap(_))), "{trapped:?}");
        assert_eq!(guests.run(V1, PATIENCE, || Ok(7)).await, Ok(7));
    }
}
