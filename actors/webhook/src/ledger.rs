//! Tries of one endpoint that are under way, and those that have just been recorded. Pure.
//!
//! A notification can come in twice: announced when it became durable, and read from the outbox. Reading
//! takes time, so what was read may be older than what has been recorded since. Everything is therefore
//! numbered: a reading that began at step *n* says nothing about events recorded after *n*.

use std::collections::{HashMap, HashSet, VecDeque};

use hermes_domain::EventId;

/// Position in the order of recordings.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(crate) struct Step(u64);

/// The ledger.
#[derive(Debug)]
pub(crate) struct Ledger {
    remembered_max: usize,
    step: Step,
    /// Requests under way.
    posting: usize,
    /// Under way, or answered and not yet recorded.
    open: HashSet<EventId>,
    recorded: HashMap<EventId, Step>,
    order: VecDeque<(EventId, Step)>,
    /// Recordings up to here are forgotten.
    forgotten: Step,
}

impl Ledger {
    /// A ledger that remembers this many recordings.
    pub(crate) fn new(remembered_max: usize) -> Self {
        Self {
            remembered_max,
            step: Step(0),
            posting: 0,
            open: HashSet::new(),
            recorded: HashMap::new(),
            order: VecDeque::new(),
            forgotten: Step(0),
        }
    }

    /// Where a reading that begins now stands.
    pub(crate) const fn now(&self) -> Step {
        self.step
    }

    /// Requests under way.
    pub(crate) const fn posting(&self) -> usize {
        self.posting
    }

    /// Tries that are not recorded yet.
    pub(crate) fn open(&self) -> usize {
        self.open.len()
    }

    /// A try begins; `false` when one of this event is open already.
    pub(crate) fn begin(&mut self, event: EventId) -> bool {
        let new = self.open.insert(event);
        self.posting += usize::from(new);
        new
    }

    /// A request has been answered or given up.
    pub(crate) const fn answered(&mut self) {
        self.posting = self.posting.saturating_sub(1);
    }

    /// A try's result is durable.
    pub(crate) fn record(&mut self, event: EventId) {
        self.open.remove(&event);
        self.step.0 += 1;
        self.recorded.insert(event, self.step);
        self.order.push_back((event, self.step));
        while self.order.len() > self.remembered_max
            && let Some((event, step)) = self.order.pop_front()
        {
            self.forgotten = step;
            if self.recorded.get(&event) == Some(&step) {
                self.recorded.remove(&event);
            }
        }
    }

    /// A try's result could not be recorded: the outbox still has its old state.
    pub(crate) fn abandon(&mut self, event: EventId) {
        self.open.remove(&event);
    }

    /// Whether an announced event is news: neither under way nor dealt with before its announcement came.
    pub(crate) fn is_news(&self, event: EventId) -> bool {
        !self.open.contains(&event) && !self.recorded.contains_key(&event)
    }

    /// Whether what a reading that began at `since` says about this event still holds.
    pub(crate) fn is_current(&self, event: EventId, since: Step) -> bool {
        !self.open.contains(&event) && self.recorded.get(&event).is_none_or(|recorded| *recorded <= since)
    }

    /// Whether everything recorded after `since` is remembered. If not, that reading is useless.
    pub(crate) fn remembers(&self, since: Step) -> bool {
        self.forgotten <= since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(number: u128) -> EventId {
        EventId::from_u128(number)
    }

    #[test]
    fn an_old_reading_says_nothing_about_what_was_recorded_since() {
        let mut ledger = Ledger::new(10);
        let before = ledger.now();
        assert!(ledger.begin(event(1)));
        assert!(!ledger.is_current(event(1), before), "it is under way");
        ledger.record(event(1));
        assert!(!ledger.is_current(event(1), before), "it was delivered meanwhile");
        assert!(ledger.is_current(event(1), ledger.now()), "a later reading may ask for it again");
        assert!(!ledger.is_news(event(1)), "its announcement came late");
        assert!(ledger.is_news(event(2)));
    }

    #[test]
    fn an_event_is_under_way_once() {
        let mut ledger = Ledger::new(10);
        assert!(ledger.begin(event(1)) && !ledger.begin(event(1)));
        assert_eq!((ledger.posting(), ledger.open()), (1, 1));
        ledger.answered();
        assert_eq!((ledger.posting(), ledger.open()), (0, 1));
        ledger.abandon(event(1));
        assert!(ledger.begin(event(1)));
    }

    #[test]
    fn memory_is_bounded_and_says_when_it_does_not_suffice() {
        let mut ledger = Ledger::new(2);
        let before = ledger.now();
        for number in 1..=2 {
            ledger.record(event(number));
        }
        assert!(ledger.remembers(before));
        ledger.record(event(3));
        assert!(!ledger.remembers(before));
        assert!(ledger.remembers(ledger.now()));
        assert_eq!((ledger.recorded.len(), ledger.order.len()), (2, 2));
    }

    #[test]
    fn a_repeated_recording_is_forgotten_only_with_its_last() {
        let mut ledger = Ledger::new(2);
        ledger.record(event(1));
        ledger.record(event(1));
        ledger.record(event(2));
        assert!(!ledger.is_news(event(1)));
    }
}
