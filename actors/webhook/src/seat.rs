//! What one endpoint's actor, its tries and the notifier share.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use hermes_domain::EndpointId;
use hermes_ports::outbox::OutboxEntry;
use hermes_supervision::Mailbox;
use parking_lot::{Mutex, MutexGuard, RwLock};
use ractor::ActorRef;

use crate::{endpoint_actor::EndpointMsg, health::Health, ledger::Ledger};

/// The place of one endpoint; it outlives its actors.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) id: EndpointId,
    window_max: usize,
    ledger: Mutex<Ledger>,
    health: Mutex<Health>,
    /// Held by whoever disables the endpoint: several tries may find at once that it must be.
    pub(crate) disabling: tokio::sync::Mutex<()>,
    /// Announcements are not kept: a reading of the outbox will find them.
    overflowed: AtomicBool,
    desk: RwLock<Option<Desk>>,
}

/// The present incarnation of the actor.
#[derive(Clone, Debug)]
pub(crate) struct Desk {
    pub(crate) actor: ActorRef<EndpointMsg>,
    pub(crate) mailbox: Mailbox,
    /// Items in the mailbox and in the window.
    pub(crate) held: Arc<AtomicUsize>,
}

impl Seat {
    pub(crate) fn new(id: EndpointId, window_max: usize) -> Self {
        Self {
            id,
            window_max,
            // As much as the window: a reading cannot take longer than working that off several times.
            ledger: Mutex::new(Ledger::new(window_max)),
            health: Mutex::default(),
            disabling: tokio::sync::Mutex::new(()),
            overflowed: AtomicBool::new(false),
            desk: RwLock::new(None),
        }
    }

    pub(crate) fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock()
    }

    pub(crate) fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock()
    }

    /// Moves an incarnation in.
    pub(crate) fn sit(&self, desk: Desk) {
        *self.desk.write() = Some(desk);
    }

    /// Announces entries that have become durable. What cannot be kept is found in the outbox later:
    /// by the reading that a full window causes, or by the first one of the next incarnation.
    pub(crate) fn announce(&self, entries: Vec<OutboxEntry>) {
        let Some(desk) = self.desk.read().clone() else { return };
        if self.overflowed.load(Ordering::Acquire) {
            return;
        }
        let count = entries.len();
        if desk.held.fetch_add(count, Ordering::AcqRel) + count > self.window_max {
            desk.held.fetch_sub(count, Ordering::AcqRel);
            if !self.overflowed.swap(true, Ordering::AcqRel) {
                let _ = desk.mailbox.cast(&desk.actor, EndpointMsg::Overflowed);
            }
            return;
        }
        let _ = desk.mailbox.cast(&desk.actor, EndpointMsg::Announced(entries));
    }

    /// A reading of the outbox is about to begin: announcements are kept again. Whatever was turned away
    /// before was durable before, so the reading sees it.
    pub(crate) fn reading_begins(&self) {
        self.overflowed.store(false, Ordering::Release);
    }

    /// Announcements come faster than they are worked off: leave them to the next reading.
    pub(crate) fn turn_away(&self) {
        self.overflowed.store(true, Ordering::Release);
    }

    /// Tells the present incarnation; without one the outbox tells the next.
    pub(crate) fn tell(&self, message: EndpointMsg) {
        let desk = self.desk.read().clone();
        if let Some(desk) = desk {
            let _ = desk.mailbox.cast(&desk.actor, message);
        }
    }
}
