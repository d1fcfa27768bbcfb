//! Notifications of one endpoint that wait in memory, earliest first. Pure.

use std::collections::{BTreeMap, HashMap};

use hermes_domain::{EventId, UnixMillis};

use crate::item::Item;

/// A bounded set of items, each event once.
#[derive(Debug)]
pub(crate) struct Window {
    room: usize,
    due: BTreeMap<(UnixMillis, EventId), Item>,
    when: HashMap<EventId, UnixMillis>,
}

/// What became of an item that was offered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offered {
    /// It waits now.
    Added,
    /// It waited already.
    Known,
    /// There is no room.
    Full,
}

impl Window {
    pub(crate) fn new(room: usize) -> Self {
        Self { room, due: BTreeMap::new(), when: HashMap::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.when.len()
    }

    /// Adds an item.
    pub(crate) fn offer(&mut self, item: Item) -> Offered {
        if self.when.contains_key(&item.event) {
            return Offered::Known;
        }
        if self.when.len() >= self.room {
            return Offered::Full;
        }
        self.when.insert(item.event, item.next_at);
        self.due.insert((item.next_at, item.event), item);
        Offered::Added
    }

    /// Takes the earliest item that is due at `now`.
    pub(crate) fn pop_due(&mut self, now: UnixMillis) -> Option<Item> {
        let first = self.due.first_entry().filter(|first| first.key().0 <= now)?;
        let item = first.remove();
        self.when.remove(&item.event);
        Some(item)
    }

    /// When the earliest item is due.
    pub(crate) fn next_due(&self) -> Option<UnixMillis> {
        self.due.first_key_value().map(|((at, _), _)| *at)
    }

    /// Forgets everything; returns how much that was.
    pub(crate) fn clear(&mut self) -> usize {
        self.due.clear();
        let count = self.when.len();
        self.when.clear();
        count
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fakes::item;

    #[test]
    fn items_come_out_in_order_and_only_when_due() {
        let mut window = Window::new(9);
        for (event, at) in [(3, 30), (1, 10), (2, 20)] {
            assert_eq!(window.offer(item(event, at)), Offered::Added);
        }
        assert_eq!(window.next_due(), Some(UnixMillis(10)));
        let due: Vec<_> = std::iter::from_fn(|| window.pop_due(UnixMillis(20))).collect();
        assert_eq!(due, [item(1, 10), item(2, 20)]);
        assert_eq!(window.len(), 1);
    }

    #[test]
    fn each_event_waits_once_and_there_is_an_end_to_it() {
        let mut window = Window::new(2);
        let offered = [(1, 10), (1, 99), (2, 20), (3, 30)].map(|(event, at)| window.offer(item(event, at)));
        assert_eq!(offered, [Offered::Added, Offered::Known, Offered::Added, Offered::Full]);
        assert_eq!((window.clear(), window.next_due()), (2, None));
        assert_eq!(window.offer(item(1, 10)), Offered::Added);
    }
}
