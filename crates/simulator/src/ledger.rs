//! A bounded memory of accepted messages, for the providers' lookups.

use std::{
    collections::{HashMap, VecDeque},
    fmt,
    sync::Arc,
};

use parking_lot::Mutex;

/// The newest messages by provider id. With room for none, nothing is kept and lookups find nothing.
pub(crate) struct Ledger<T> {
    messages_max: usize,
    inner: Mutex<Inner<T>>,
}

struct Inner<T> {
    by_id: HashMap<Arc<str>, Arc<T>>,
    order: VecDeque<Arc<str>>,
}

/// Says how many, not what: messages hold addresses and content.
impl<T> fmt::Debug for Ledger<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ledger").field("messages", &self.inner.lock().order.len()).finish_non_exhaustive()
    }
}

impl<T> Ledger<T> {
    pub(crate) fn new(messages_max: usize) -> Self {
        Self { messages_max, inner: Mutex::new(Inner { by_id: HashMap::new(), order: VecDeque::new() }) }
    }

    /// Remembers a message; the oldest one is forgotten when there is no room.
    pub(crate) fn keep(&self, id: &str, message: impl FnOnce() -> T) {
        if self.messages_max == 0 {
            return;
        }
        let id: Arc<str> = id.into();
        let message = Arc::new(message());
        let mut inner = self.inner.lock();
        if inner.order.len() == self.messages_max
            && let Some(oldest) = inner.order.pop_front()
        {
            inner.by_id.remove(&oldest);
        }
        inner.order.push_back(Arc::clone(&id));
        inner.by_id.insert(id, message);
    }

    pub(crate) fn find(&self, id: &str) -> Option<Arc<T>> {
        self.inner.lock().by_id.get(id).cloned()
    }

    /// At most `limit` messages that match after skipping `skip`, newest first.
    pub(crate) fn search(&self, skip: usize, limit: usize, matches: impl Fn(&T) -> bool) -> Vec<Arc<T>> {
        let inner = self.inner.lock();
        let newest_first = inner.order.iter().rev().filter_map(|id| inner.by_id.get(id));
        newest_first.filter(|message| matches(message)).skip(skip).take(limit).cloned().collect()
    }

    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock();
        inner.by_id.clear();
        inner.order.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_message_makes_room() {
        let ledger = Ledger::new(2);
        for id in ["a", "b", "c"] {
            ledger.keep(id, || id.to_owned());
        }
        assert!(ledger.find("a").is_none());
        let found: Vec<_> = ledger.search(0, 10, |_| true).iter().map(|id| id.to_string()).collect();
        assert_eq!(found, ["c", "b"]);
        assert_eq!(ledger.search(1, 10, |_| true).len(), 1);
    }
}
