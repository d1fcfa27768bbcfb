//! Wishes that wait for one connection: by lane, and within a lane fair between tenants. Pure.
//!
//! Lanes share by weight (stride scheduling): of 81 permits under full load 64 go to one-time
//! passwords, 16 to transactional and one to bulk, so bulk moves on but nobody notices. A lane that was
//! empty joins at the present pass: it is owed nothing for the past, and at equal passes the more urgent
//! lane is first, so a single one-time password is always next. Within a lane tenants take turns,
//! however much each has waiting.
//!
//! Every operation is O(1) but [`WaitingList::retain`]. Entries whose wish has been answered elsewhere
//! stay until they are skipped or compacted away.

use std::collections::{HashMap, VecDeque};

use hermes_domain::{TenantId, message::Lane};

/// Shares of the lanes, in the order of [`Lane::ALL`].
const WEIGHTS: [u64; 3] = [64, 16, 1];
/// Divisible by every weight.
const STRIDE: u64 = 64;

/// How much may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// In all.
    pub(crate) total: usize,
    /// Of one tenant, over all lanes.
    pub(crate) per_tenant: usize,
}

/// The lists of one connection.
#[derive(Debug)]
pub(crate) struct WaitingList<T> {
    bounds: Bounds,
    lanes: [LaneList<T>; 3],
    per_tenant: HashMap<TenantId, usize>,
    len: usize,
    /// Pass of the lane that was served last.
    pass: u64,
}

#[derive(Debug)]
struct LaneList<T> {
    tenants: HashMap<TenantId, VecDeque<T>>,
    /// Tenants with something waiting; the first is next.
    turns: VecDeque<TenantId>,
    pass: u64,
}

impl<T> WaitingList<T> {
    pub(crate) fn new(bounds: Bounds) -> Self {
        let lane = || LaneList { tenants: HashMap::new(), turns: VecDeque::new(), pass: 0 };
        Self { bounds, lanes: [lane(), lane(), lane()], per_tenant: HashMap::new(), len: 0, pass: 0 }
    }

    /// How many entries there are, answered ones included.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Adds an entry at the end of its tenant's turn; it comes back when a bound is reached.
    pub(crate) fn push(&mut self, tenant: TenantId, lane: Lane, entry: T) -> Result<(), T> {
        let share = self.per_tenant.get(&tenant).copied().unwrap_or_default();
        if self.len >= self.bounds.total || share >= self.bounds.per_tenant {
            return Err(entry);
        }
        let list = &mut self.lanes[index(lane)];
        if list.turns.is_empty() {
            list.pass = list.pass.max(self.pass);
        }
        let queue = list.tenants.entry(tenant).or_default();
        if queue.is_empty() {
            list.turns.push_back(tenant);
        }
        queue.push_back(entry);
        self.per_tenant.insert(tenant, share + 1);
        self.len += 1;
        Ok(())
    }

    /// Takes the next entry for which `alive` holds, and drops those before it.
    pub(crate) fn pop(&mut self, alive: impl Fn(&T) -> bool) -> Option<T> {
        loop {
            let lane = self.next_lane()?;
            let (found, taken, tenant) = self.lanes[lane].take_turn(&alive);
            self.forget(tenant, taken);
            if found.is_some() {
                self.pass = self.lanes[lane].pass;
                self.lanes[lane].pass += STRIDE / WEIGHTS[lane];
                return found;
            }
        }
    }

    /// Drops every entry for which `alive` does not hold. O(n).
    pub(crate) fn retain(&mut self, alive: impl Fn(&T) -> bool) {
        self.per_tenant.clear();
        self.len = 0;
        for list in &mut self.lanes {
            for (tenant, queue) in &mut list.tenants {
                queue.retain(&alive);
                if !queue.is_empty() {
                    *self.per_tenant.entry(*tenant).or_default() += queue.len();
                    self.len += queue.len();
                }
            }
            list.tenants.retain(|_, queue| !queue.is_empty());
            list.turns.retain(|tenant| list.tenants.contains_key(tenant));
        }
    }

    fn next_lane(&self) -> Option<usize> {
        let waiting = (0..WEIGHTS.len()).filter(|lane| !self.lanes[*lane].turns.is_empty());
        waiting.min_by_key(|lane| (self.lanes[*lane].pass, *lane))
    }

    fn forget(&mut self, tenant: TenantId, count: usize) {
        self.len -= count;
        if let Some(share) = self.per_tenant.get_mut(&tenant) {
            *share -= count;
            if *share == 0 {
                self.per_tenant.remove(&tenant);
            }
        }
    }
}

impl<T> LaneList<T> {
    /// Serves the tenant whose turn it is: (entry, entries removed, tenant). Never called when empty.
    fn take_turn(&mut self, alive: impl Fn(&T) -> bool) -> (Option<T>, usize, TenantId) {
        #[expect(clippy::expect_used, reason = "the caller chose a lane with a turn")]
        let tenant = self.turns.pop_front().expect("the lane has a turn");
        let Some(queue) = self.tenants.get_mut(&tenant) else { return (None, 0, tenant) };
        let (mut found, mut taken) = (None, 0);
        while found.is_none()
            && let Some(entry) = queue.pop_front()
        {
            taken += 1;
            found = Some(entry).filter(&alive);
        }
        if queue.is_empty() {
            self.tenants.remove(&tenant);
        } else {
            self.turns.push_back(tenant);
        }
        (found, taken, tenant)
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
mod tests;
