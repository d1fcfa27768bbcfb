//! When which message must be woken. About 100 bytes a message; no actor, no timer of its own.

use std::collections::{BTreeSet, HashMap};

use hermes_domain::{MessageId, UnixMillis};
use parking_lot::Mutex;
use tokio::sync::Notify;

/// Due times of every open message. Rebuilt from the store at boot.
#[derive(Debug, Default)]
pub struct Deadlines {
    inner: Mutex<Inner>,
    earlier: Notify,
}

#[derive(Debug, Default)]
struct Inner {
    order: BTreeSet<(u64, u128)>,
    due: HashMap<u128, u64>,
}

impl Deadlines {
    /// Wakes `id` at `due`, instead of whenever it was to be woken before.
    pub fn set(&self, id: MessageId, due: UnixMillis) {
        let (key, due) = (id.as_u128(), due.0);
        let mut inner = self.inner.lock();
        let before = inner.due.insert(key, due);
        if before == Some(due) {
            return;
        }
        let first = inner.order.first().copied();
        if let Some(before) = before {
            inner.order.remove(&(before, key));
        }
        inner.order.insert((due, key));
        if first.is_none_or(|(first, _)| due < first) {
            self.earlier.notify_one();
        }
    }

    /// Never wakes `id` any more.
    pub fn remove(&self, id: MessageId) {
        let mut inner = self.inner.lock();
        if let Some(due) = inner.due.remove(&id.as_u128()) {
            inner.order.remove(&(due, id.as_u128()));
        }
    }

    /// At most `limit` messages that are due at `now`; each is put off by `again_ms`, so that it is
    /// offered again unless what it leads to changes its due time first.
    pub fn take_due(&self, now: UnixMillis, again_ms: u64, limit: usize) -> Vec<MessageId> {
        let mut inner = self.inner.lock();
        let mut taken = Vec::new();
        while let Some(&(due, key)) = inner.order.first() {
            if due > now.0 || taken.len() >= limit {
                break;
            }
            let again = now.plus_ms(again_ms).0;
            inner.order.pop_first();
            inner.order.insert((again, key));
            inner.due.insert(key, again);
            taken.push(MessageId::from_u128(key));
        }
        taken
    }

    /// The earliest due time.
    pub fn next(&self) -> Option<UnixMillis> {
        self.inner.lock().order.first().map(|(due, _)| UnixMillis(*due))
    }

    /// Returns when an earlier due time than the earliest was set since the last call.
    pub async fn changed(&self) {
        self.earlier.notified().await;
    }

    /// How many messages wait.
    pub fn len(&self) -> usize {
        self.inner.lock().due.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u128) -> MessageId {
        MessageId::from_u128(number)
    }

    #[test]
    fn due_messages_come_in_order_and_are_offered_again() {
        let deadlines = Deadlines::default();
        for (number, due) in [(1, 300), (2, 100), (3, 200), (4, 900)] {
            deadlines.set(id(number), UnixMillis(due));
        }
        assert_eq!(deadlines.take_due(UnixMillis(300), 1_000, 2), [id(2), id(3)]);
        assert_eq!(deadlines.take_due(UnixMillis(300), 1_000, 9), [id(1)]);
        assert_eq!(deadlines.take_due(UnixMillis(1_300), 1_000, 9), [id(4), id(1), id(2), id(3)]);
    }

    #[test]
    fn a_new_due_time_replaces_the_old_one() {
        let deadlines = Deadlines::default();
        deadlines.set(id(1), UnixMillis(100));
        deadlines.set(id(1), UnixMillis(500));
        assert!(deadlines.take_due(UnixMillis(400), 1_000, 9).is_empty());
        assert_eq!((deadlines.len(), deadlines.next()), (1, Some(UnixMillis(500))));
        deadlines.remove(id(1));
        assert!(deadlines.is_empty() && deadlines.next().is_none());
    }

    /// Wakes what is due each 100 ms, as the actor does by its clock, in its portions.
    fn all_start_within_their_second(count: u64) {
        let deadlines = Deadlines::default();
        for number in 0..count {
            let send_at = UnixMillis(1_000 * (1 + number % 60));
            deadlines.set(id(number.into()), send_at);
        }
        let (mut now, mut started) = (UnixMillis(0), 0);
        while started < count {
            loop {
                let due = deadlines.take_due(now, 1_000, 500);
                for id in &due {
                    let send_at = 1_000 * (1 + (id.as_u128() as u64) % 60);
                    assert!((send_at..send_at + 1_000).contains(&now.0), "{id} starts at {now:?}");
                    deadlines.remove(*id);
                    started += 1;
                }
                if due.is_empty() {
                    break;
                }
            }
            now = now.plus_ms(100);
        }
        assert!(deadlines.is_empty());
    }

    #[test]
    fn ten_thousand_scheduled_messages_start_within_their_second() {
        all_start_within_their_second(10_000);
    }

    #[test]
    fn a_million_scheduled_messages_start_within_their_second() {
        all_start_within_their_second(1_000_000);
    }

    /// A B-tree's nodes are at least half full, a hash table is at least seven sixteenths full, with a byte a bucket.
    #[test]
    fn a_waiting_message_takes_less_than_200_bytes() {
        let ordered = size_of::<(u64, u128)>() * 2;
        let looked_up = (size_of::<(u128, u64)>() + 1) * 16 / 7;
        assert!(ordered + looked_up <= 200, "{ordered} + {looked_up}");
    }
}
