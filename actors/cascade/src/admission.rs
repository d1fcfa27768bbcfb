//! How many messages of a tenant may be on their way to a provider at once, per lane.
//!
//! A slot is held from acceptance until the first receipt is awaited: that is the part of a message's
//! life that costs memory and provider capacity. Recovered messages count too, but are never refused.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use hermes_domain::message::Lane;

/// Most messages on their way, per lane.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LaneLimits {
    /// One-time passwords.
    pub otp: usize,
    /// Caused by what the recipient did.
    pub transactional: usize,
    /// Campaigns.
    pub bulk: usize,
}

/// Counts a tenant's messages on their way. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Admission {
    lanes: Arc<[AtomicUsize; 3]>,
    limits: LaneLimits,
}

/// One message on its way; frees its place when dropped.
#[derive(Debug)]
pub struct Slot {
    lanes: Arc<[AtomicUsize; 3]>,
    lane: Lane,
}

impl Admission {
    /// Nothing on its way.
    pub fn new(limits: LaneLimits) -> Self {
        Self { lanes: Arc::default(), limits }
    }

    /// A place, if the lane has one left.
    pub fn try_take(&self, lane: Lane) -> Option<Slot> {
        let slot = self.take(lane);
        // Dropping the slot gives the place back.
        (self.on_their_way(lane) <= self.limit(lane)).then_some(slot)
    }

    /// A place, whatever the limit: for messages that were accepted before.
    pub fn take(&self, lane: Lane) -> Slot {
        self.lanes[index(lane)].fetch_add(1, Ordering::AcqRel);
        Slot { lanes: Arc::clone(&self.lanes), lane }
    }

    /// How many messages of the lane are on their way.
    pub fn on_their_way(&self, lane: Lane) -> usize {
        self.lanes[index(lane)].load(Ordering::Acquire)
    }

    /// The lane's limit.
    pub const fn limit(&self, lane: Lane) -> usize {
        match lane {
            Lane::Otp => self.limits.otp,
            Lane::Transactional => self.limits.transactional,
            Lane::Bulk => self.limits.bulk,
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.lanes[index(self.lane)].fetch_sub(1, Ordering::AcqRel);
    }
}

const fn index(lane: Lane) -> usize {
    match lane {
        Lane::Otp => 0,
        Lane::Transactional => 1,
        Lane::Bulk => 2,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_lane_refuses_and_leaves_the_others_alone() {
        let admission = Admission::new(LaneLimits { otp: 1, transactional: 1, bulk: 1 });
        let held = admission.try_take(Lane::Bulk);
        assert!(held.is_some() && admission.try_take(Lane::Bulk).is_none());
        assert!(admission.try_take(Lane::Otp).is_some());
        drop(held);
        assert!(admission.try_take(Lane::Bulk).is_some());
        assert_eq!(admission.on_their_way(Lane::Bulk), 0);
    }

    #[test]
    fn recovered_messages_are_counted_but_never_refused() {
        let admission = Admission::new(LaneLimits { otp: 1, transactional: 1, bulk: 1 });
        let _held = [admission.take(Lane::Otp), admission.take(Lane::Otp)];
        assert_eq!(admission.on_their_way(Lane::Otp), 2);
        assert!(admission.try_take(Lane::Otp).is_none());
    }
}
