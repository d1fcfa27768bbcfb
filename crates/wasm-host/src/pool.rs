//! Live instances between calls, of all adapters together.

use std::collections::HashMap;

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::adapter::AdapterFault;
use parking_lot::Mutex;

use crate::instance::Instance;

#[derive(Default)]
struct Shelf {
    idle: HashMap<AdapterVersion, Vec<Instance>>,
    /// Idle and lent ones.
    alive: u32,
}

/// Lends instances. The lock is held for a push or a pop only.
pub(crate) struct Pool {
    shelf: Mutex<Shelf>,
    alive_max: u32,
}

/// The right to one live instance: dropped with it.
pub(crate) struct Seat<'a>(&'a Pool);

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.shelf.lock().alive -= 1;
    }
}

impl Pool {
    /// At most `alive_max` instances.
    pub(crate) fn new(alive_max: u32) -> Self {
        Self { shelf: Mutex::default(), alive_max }
    }

    /// An idle instance of this revision, if there is one, and a seat in any case.
    ///
    /// At the limit an idle instance of another revision makes room.
    ///
    /// # Errors
    /// `Busy` when all instances are at work.
    pub(crate) fn take(&self, version: AdapterVersion) -> Result<(Option<Instance>, Seat<'_>), AdapterFault> {
        let mut shelf = self.shelf.lock();
        if let Some(instance) = shelf.idle.get_mut(&version).and_then(Vec::pop) {
            return Ok((Some(instance), Seat(self)));
        }
        let evicted = if shelf.alive >= self.alive_max {
            Some(shelf.idle.values_mut().find_map(Vec::pop).ok_or(AdapterFault::Busy)?)
        } else {
            shelf.alive += 1;
            None
        };
        drop(shelf);
        drop(evicted); // Unmapping happens outside the lock, but before a new instance needs the slot.
        Ok((None, Seat(self)))
    }

    /// Idle and lent ones.
    pub(crate) fn alive(&self) -> u32 {
        self.shelf.lock().alive
    }

    /// Takes an instance back with its seat.
    pub(crate) fn put(&self, version: AdapterVersion, instance: Instance, seat: Seat<'_>) {
        std::mem::forget(seat); // The instance stays alive, and so does its seat.
        self.shelf.lock().idle.entry(version).or_default().push(instance);
    }
}
