//! Counts the failures of each key and parks the one that keeps failing.
//!
//! One message that crashes its actor on every attempt must not use up the restart budget of the
//! tree above it. Its failures are counted here per key: it is retried with growing delays, then
//! parked. A parked key is visible to operators, is not started again, and ends at its expiry.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use lru::LruCache;

use crate::backoff::{Backoff, Jitter};

/// When a key counts as poison.
#[derive(Debug, Clone, Copy)]
pub struct PoisonPolicy {
    /// The failure that parks the key; at least 1.
    pub failures_max: u32,
    /// Delays between the attempts before.
    pub backoff: Backoff,
    /// How many keys are remembered in each class, failing and parked.
    ///
    /// Beyond it the one that failed longest ago is forgotten and starts over at zero: bounded
    /// memory is worth more here than an exact count.
    pub keys_max: NonZeroUsize,
}

/// What follows from a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Start the key's actor again after this delay.
    RetryAfter(Duration),
    /// Do not start it again.
    Park,
}

/// What an operator wants to know about a parked key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedKey {
    /// When it was parked.
    pub since: Instant,
    /// How often it had failed.
    pub failures: u32,
    /// The last failure, as text.
    pub last_error: String,
}

/// The failures of every key that has failed lately.
#[derive(Debug)]
pub struct PoisonLedger<K: Hash + Eq> {
    policy: PoisonPolicy,
    failing: LruCache<K, u32>,
    parked: LruCache<K, ParkedKey>,
}

impl Default for PoisonPolicy {
    /// Five failures, 1 s to 5 min apart, 10,000 keys a class.
    fn default() -> Self {
        Self {
            failures_max: 5,
            backoff: Backoff::try_new(Duration::from_secs(1), Duration::from_secs(300))
                .expect("one second is positive and below five minutes"),
            keys_max: const { NonZeroUsize::new(10_000).expect("ten thousand is not zero") },
        }
    }
}

impl<K: Hash + Eq + Clone> PoisonLedger<K> {
    /// An empty ledger.
    #[must_use]
    pub fn new(policy: PoisonPolicy) -> Self {
        Self { policy, failing: LruCache::new(policy.keys_max), parked: LruCache::new(policy.keys_max) }
    }

    /// Records that the actor of `key` failed at `now` and decides what follows.
    ///
    /// A key that is parked already stays parked, with the newer error.
    pub fn record(&mut self, key: K, now: Instant, error: &str, jitter: Jitter) -> Verdict {
        if let Some(parked) = self.parked.get_mut(&key) {
            parked.failures = parked.failures.saturating_add(1);
            error.clone_into(&mut parked.last_error);
            return Verdict::Park;
        }
        let failures = self.failing.pop(&key).unwrap_or(0) + 1;
        if failures < self.policy.failures_max {
            put_bounded(&mut self.failing, self.policy.keys_max, key, failures);
            return Verdict::RetryAfter(self.policy.backoff.delay(failures, jitter));
        }
        let parked = ParkedKey { since: now, failures, last_error: error.to_owned() };
        put_bounded(&mut self.parked, self.policy.keys_max, key, parked);
        Verdict::Park
    }

    /// Forgets the key: its actor made progress, has ended, or an operator released it.
    ///
    /// Returns what was parked under it.
    pub fn clear(&mut self, key: &K) -> Option<ParkedKey> {
        self.failing.pop(key);
        self.parked.pop(key)
    }

    /// What is parked under this key.
    #[must_use]
    pub fn parked(&self, key: &K) -> Option<&ParkedKey> {
        self.parked.peek(key)
    }

    /// All parked keys, the latest failure first.
    pub fn iter_parked(&self) -> impl Iterator<Item = (&K, &ParkedKey)> {
        self.parked.iter()
    }

    /// How many keys are failing and how many are parked.
    #[must_use]
    pub fn counts(&self) -> (usize, usize) {
        (self.failing.len(), self.parked.len())
    }
}

fn put_bounded<K: Hash + Eq, V>(cache: &mut LruCache<K, V>, max: NonZeroUsize, key: K, value: V) {
    cache.put(key, value);
    if cache.len() > max.get() {
        cache.pop_lru();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(keys_max: usize) -> PoisonLedger<u32> {
        let keys_max = NonZeroUsize::new(keys_max).unwrap();
        PoisonLedger::new(PoisonPolicy { keys_max, ..PoisonPolicy::default() })
    }

    fn fail(ledger: &mut PoisonLedger<u32>, key: u32, times: u32) -> Vec<Verdict> {
        let now = Instant::now();
        (0..times).map(|n| ledger.record(key, now, &format!("error {n}"), Jitter::NONE)).collect()
    }

    #[test]
    fn the_fifth_failure_parks_the_key() {
        let mut ledger = ledger(10);
        let retry = |seconds| Verdict::RetryAfter(Duration::from_secs(seconds));
        assert_eq!(
            fail(&mut ledger, 7, 6),
            [retry(1), retry(2), retry(4), retry(8), Verdict::Park, Verdict::Park]
        );
        let parked = ledger.parked(&7).unwrap();
        assert_eq!((parked.failures, parked.last_error.as_str()), (6, "error 5"));
        assert_eq!(ledger.counts(), (0, 1));
        assert_eq!(ledger.iter_parked().map(|(key, _)| *key).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn progress_starts_the_count_over() {
        let mut ledger = ledger(10);
        fail(&mut ledger, 7, 4);
        assert_eq!(ledger.clear(&7), None);
        assert_eq!(fail(&mut ledger, 7, 1), [Verdict::RetryAfter(Duration::from_secs(1))]);
    }

    #[test]
    fn a_released_key_may_run_again() {
        let mut ledger = ledger(10);
        fail(&mut ledger, 7, 5);
        assert_eq!(ledger.clear(&7).map(|parked| parked.failures), Some(5));
        assert_eq!(fail(&mut ledger, 7, 1), [Verdict::RetryAfter(Duration::from_secs(1))]);
    }

    #[test]
    fn keys_fail_independently() {
        let mut ledger = ledger(10);
        fail(&mut ledger, 1, 4);
        assert_eq!(fail(&mut ledger, 2, 1), [Verdict::RetryAfter(Duration::from_secs(1))]);
        assert_eq!(fail(&mut ledger, 1, 1), [Verdict::Park]);
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_is_forgotten() {
        let mut ledger = ledger(3);
        for key in 0..1_000 {
            fail(&mut ledger, 10_000 + key, 5);
            fail(&mut ledger, key, 1);
            fail(&mut ledger, 1_000_000 + key, 1);
        }
        assert_eq!(ledger.counts(), (3, 3));
        assert!(ledger.parked(&10_999).is_some());
        assert!(ledger.parked(&10_000).is_none());
    }
}
