//! Index entries that are not in the `term` table yet.
//!
//! Hashes are random, so writing each one as it comes would touch a page of its own in every commit.
//! They are kept here instead and merged in sorted runs ([`crate::term_merge`]). Nothing is lost by a
//! crash: below the stored *horizon* every entry is in the table, and from it on the entries follow
//! from the messages. A commit for a message below the horizon therefore writes its entries at once.

use std::collections::BTreeSet;

use parking_lot::Mutex;

/// A term and the storage key of a message that has it.
pub(crate) type Entry = (i64, i64);

/// The entries in memory. Changed by the writer only; read by lists.
#[derive(Debug)]
pub(crate) struct TermTail(Mutex<Tail>);

#[derive(Debug)]
struct Tail {
    entries: BTreeSet<Entry>,
    horizon: i64,
}

impl TermTail {
    pub(crate) fn new(horizon: i64, entries: BTreeSet<Entry>) -> Self {
        Self(Mutex::new(Tail { entries, horizon }))
    }

    /// Keys with `term` within `keys`, largest first, at most `limit`.
    pub(crate) fn newest(&self, term: i64, keys: std::ops::Range<i64>, limit: usize) -> Vec<i64> {
        if keys.is_empty() {
            return Vec::new();
        }
        let tail = self.0.lock();
        let found = tail.entries.range((term, keys.start)..(term, keys.end)).rev();
        found.take(limit).map(|(_, key)| *key).collect()
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().entries.len()
    }

    /// Every entry, sorted.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        self.0.lock().entries.iter().copied().collect()
    }
}

/// What a transaction changes about the tail, once it is durable.
#[derive(Debug)]
pub(crate) struct TermChanges {
    horizon: i64,
    added: Vec<Entry>,
    merged: Vec<Entry>,
}

impl TermChanges {
    pub(crate) fn begin(tail: &TermTail) -> Self {
        Self { horizon: tail.0.lock().horizon, added: Vec::new(), merged: Vec::new() }
    }

    /// Whether entries of this message belong into the table at once.
    pub(crate) const fn is_below_horizon(&self, key: i64) -> bool {
        key < self.horizon
    }

    /// Adds an entry at or above the horizon.
    pub(crate) fn add(&mut self, term: i64, key: i64) {
        self.added.push((term, key));
    }

    /// Keys that have got `term` in this transaction, in any order.
    pub(crate) fn added(&self, term: i64) -> impl Iterator<Item = i64> {
        self.added.iter().filter(move |(one, _)| *one == term).map(|(_, key)| *key)
    }

    /// These are in the table now.
    pub(crate) fn merge(&mut self, entries: &[Entry]) {
        self.merged.extend_from_slice(entries);
    }

    /// Moves the horizon as far as the entries that remain allow, but not beyond `merged_to`.
    /// Returns the new horizon, to be stored by the same transaction.
    pub(crate) fn move_horizon(&mut self, tail: &TermTail, merged_to: i64) -> i64 {
        let tail = tail.0.lock();
        let merged: BTreeSet<&Entry> = self.merged.iter().collect();
        let remaining = tail.entries.iter().filter(|entry| !merged.contains(entry)).chain(&self.added);
        let horizon = remaining.map(|(_, key)| *key).min().unwrap_or(merged_to).min(merged_to);
        self.horizon = self.horizon.max(horizon);
        self.horizon
    }

    /// Makes the changes visible.
    pub(crate) fn publish(self, tail: &TermTail) {
        let mut tail = tail.0.lock();
        for entry in &self.merged {
            tail.entries.remove(entry);
        }
        tail.entries.extend(self.added);
        tail.horizon = self.horizon;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_horizon_stops_at_the_oldest_entry_that_is_not_in_the_table() {
        let tail = TermTail::new(0, BTreeSet::from([(1, 10), (1, 20), (2, 30)]));
        let mut changes = TermChanges::begin(&tail);
        changes.merge(&[(1, 10), (2, 30)]);
        changes.add(9, 25);
        assert_eq!(changes.move_horizon(&tail, 31), 20);
        assert!(changes.is_below_horizon(19) && !changes.is_below_horizon(20));
        changes.publish(&tail);
        assert_eq!(tail.entries(), [(1, 20), (9, 25)]);
    }

    #[test]
    fn the_horizon_never_goes_back_nor_beyond_what_was_merged() {
        let tail = TermTail::new(50, BTreeSet::new());
        assert_eq!(TermChanges::begin(&tail).move_horizon(&tail, 40), 50);
        assert_eq!(TermChanges::begin(&tail).move_horizon(&tail, 70), 70);
    }

    #[test]
    fn an_abandoned_transaction_changes_nothing() {
        let tail = TermTail::new(5, BTreeSet::from([(1, 10)]));
        let mut changes = TermChanges::begin(&tail);
        changes.add(2, 11);
        changes.merge(&[(1, 10)]);
        drop(changes);
        assert_eq!(tail.newest(1, 0..100, 9), [10]);
        assert_eq!(tail.len(), 1);
    }
}
