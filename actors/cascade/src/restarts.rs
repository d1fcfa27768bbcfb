//! What a supervisor remembers about cascades that failed.

use std::{
    collections::{HashMap, HashSet},
    time::Duration,
};

use hermes_domain::MessageId;
use hermes_supervision::{Jitter, ParkedKey, PoisonLedger, poison};

/// Failures by message: counted, delayed, and parked when they do not end.
#[derive(Debug)]
pub(crate) struct Restarts {
    ledger: PoisonLedger<MessageId>,
    counts: HashMap<MessageId, (u32, String)>,
    /// Those that have failed and were not started again yet.
    down: HashSet<MessageId>,
}

impl Restarts {
    pub(crate) fn new(failures_max: u32) -> Self {
        let policy = poison::PoisonPolicy { failures_max, ..poison::PoisonPolicy::default() };
        Self { ledger: PoisonLedger::new(policy), counts: HashMap::new(), down: HashSet::new() }
    }

    /// Records a failure: when to restart, or `None` when the message is parked.
    pub(crate) fn failed(&mut self, id: MessageId, error: &str, now: std::time::Instant) -> Option<Duration> {
        let entry = self.counts.entry(id).or_default();
        *entry = (entry.0 + 1, error.to_owned());
        self.down.insert(id);
        match self.ledger.record(id, now, error, Jitter::NONE) {
            poison::Verdict::RetryAfter(delay) => Some(delay),
            poison::Verdict::Park => None,
        }
    }

    /// A message is started, by its restart or by something that concerns it and came first; whether it had failed.
    pub(crate) fn started(&mut self, id: MessageId) -> bool {
        self.down.remove(&id)
    }

    /// Forgets a message that ended well.
    pub(crate) fn forget(&mut self, id: MessageId) {
        if self.counts.remove(&id).is_some() {
            self.ledger.clear(&id);
        }
    }

    /// Restarts and the last error of a message.
    pub(crate) fn of(&self, id: MessageId) -> (u32, Option<String>) {
        self.counts.get(&id).map_or((0, None), |(count, error)| (*count, Some(error.clone())))
    }

    pub(crate) fn is_parked(&self, id: MessageId) -> bool {
        self.ledger.parked(&id).is_some()
    }

    /// How many messages are parked.
    pub(crate) fn parked_count(&self) -> usize {
        self.ledger.iter_parked().count()
    }

    /// Each parked message with when it was parked, its failures and the last of them.
    pub(crate) fn parked_keys(&self) -> impl Iterator<Item = (&MessageId, &ParkedKey)> {
        self.ledger.iter_parked()
    }

    /// Forgets a parked message's failures; whether it was parked.
    pub(crate) fn release(&mut self, id: MessageId) -> bool {
        let parked = self.ledger.clear(&id).is_some();
        if parked {
            self.counts.remove(&id);
        }
        parked
    }

    pub(crate) fn parked(&self) -> Vec<String> {
        self.ledger.iter_parked().map(|(id, _)| id.to_string()).collect()
    }
}

#[cfg(test)]
mod tests {
    use hermes_domain::UnixMillis;

    use super::*;

    #[test]
    fn the_failure_that_is_one_too_many_parks_and_an_end_forgets() {
        let id = MessageId::mint(UnixMillis(1), 0, 0, 1);
        let now = std::time::Instant::now();
        let mut restarts = Restarts::new(2);
        assert!(restarts.failed(id, "first", now).is_some());
        assert!(!restarts.is_parked(id));
        assert_eq!(restarts.failed(id, "second", now), None);
        assert!(restarts.is_parked(id));
        assert_eq!(restarts.of(id), (2, Some("second".to_owned())));
        let told: Vec<_> = restarts.parked_keys().map(|(id, parked)| (*id, parked.failures)).collect();
        assert_eq!(told, [(id, 2)]);
        assert!(restarts.release(id));
        assert!(!restarts.release(id), "it is parked no more");
        assert!(restarts.failed(id, "again", now).is_some(), "its failures are counted anew");
        assert_eq!(restarts.failed(id, "and again", now), None);
        restarts.forget(id);
        assert!(!restarts.is_parked(id));
    }
}
