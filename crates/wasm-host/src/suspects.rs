//! Connections whose guests have lately run into their time limit: one call at a time for all of them
//! together, so that endless loops cannot occupy more than one thread of the runtime.

use std::{
    collections::HashMap,
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use hermes_domain::ConnectionId;
use hermes_ports::adapter::AdapterFault;
use parking_lot::{Mutex, MutexGuard};

/// How long a connection stays under suspicion.
const SUSPICION: Duration = Duration::from_secs(60);
/// Connections remembered; beyond that the oldest is forgiven.
const SUSPECTS_MAX: usize = 10_000;

/// Who is under suspicion since when.
#[derive(Default)]
pub(crate) struct Suspects {
    since: Mutex<HashMap<ConnectionId, Instant>>,
    count: AtomicUsize,
    lane: Mutex<()>,
}

impl Suspects {
    /// Lets a call in. Unsuspected connections pass at once.
    ///
    /// # Errors
    /// `Busy` when another suspect's call is running.
    pub(crate) fn admit(&self, connection: ConnectionId) -> Result<Option<MutexGuard<'_, ()>>, AdapterFault> {
        if self.count.load(Ordering::Relaxed) == 0 || !self.is_suspect(connection, Instant::now()) {
            return Ok(None);
        }
        self.lane.try_lock().map(Some).ok_or(AdapterFault::Busy)
    }

    /// Remembers what became of a call.
    pub(crate) fn note(&self, connection: ConnectionId, fault: &AdapterFault) {
        if !matches!(fault, AdapterFault::TimeLimit { .. }) {
            return;
        }
        let mut since = self.since.lock();
        if since.len() >= SUSPECTS_MAX {
            let oldest = since.iter().min_by_key(|(_, at)| **at).map(|(id, _)| *id);
            oldest.map(|id| since.remove(&id));
        }
        since.insert(connection, Instant::now());
        self.count.store(since.len(), Ordering::Relaxed);
    }

    fn is_suspect(&self, connection: ConnectionId, now: Instant) -> bool {
        let mut since = self.since.lock();
        let fresh = since.get(&connection).is_some_and(|at| now.duration_since(*at) < SUSPICION);
        if !fresh && since.remove(&connection).is_some() {
            self.count.store(since.len(), Ordering::Relaxed);
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use hermes_domain::UnixMillis;

    use super::*;

    #[test]
    fn suspects_run_one_at_a_time_and_others_do_not_notice() {
        let suspects = Suspects::default();
        let [first, second, other] = [1, 2, 3].map(|random| ConnectionId::new(UnixMillis(1), random));
        assert!(matches!(suspects.admit(first), Ok(None)));
        for suspect in [first, second] {
            suspects.note(suspect, &AdapterFault::Trap("a trap is no loop".to_owned()));
            assert!(matches!(suspects.admit(suspect), Ok(None)));
            suspects.note(suspect, &AdapterFault::TimeLimit { limit_ms: 10 });
        }
        let running = suspects.admit(first).unwrap();
        assert!(running.is_some());
        assert_eq!(suspects.admit(second).err(), Some(AdapterFault::Busy));
        assert!(matches!(suspects.admit(other), Ok(None)));
        drop(running);
        assert!(suspects.admit(second).unwrap().is_some());
    }
}
