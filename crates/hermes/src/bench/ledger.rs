//! The books: what was sent, accepted, refused and ended, and what of that is measured.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use hermes_domain::MessageId;

use super::figures::Latencies;

/// Ends of messages that are not known (yet) that are remembered: an answer may be overtaken by the end.
const EARLY_MAX: usize = 100_000;

/// Everything that is counted in a run. Samples belong to the window by the moment they were meant to be
/// sent, rates by the moment they were seen.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    window: Option<Window>,
    open: HashMap<MessageId, Instant>,
    early: HashMap<MessageId, (Instant, String)>,
    /// From the intended start to the answer.
    pub(super) accept: Latencies,
    /// From the intended start to the end of the message.
    pub(super) end_to_end: Latencies,
    /// In the whole run, warm-up included.
    pub(super) total: Counts,
    /// Within the window.
    pub(super) measured: Counts,
    /// Messages by their last status, in the whole run.
    pub(super) statuses: BTreeMap<String, u64>,
    /// Answers other than 202 by status, in the whole run.
    pub(super) refused: BTreeMap<u16, u64>,
    /// Requests without an answer: the server may have accepted them.
    pub(super) unanswered: u64,
    /// Messages of the schedule that were never sent.
    pub(super) unsent: u64,
}

#[derive(Debug, Clone, Copy)]
struct Window {
    from: Instant,
    to: Option<Instant>,
}

/// What happened how often.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) accepted: u64,
    pub(super) completed: u64,
}

impl Window {
    fn covers(&self, at: Instant) -> bool {
        at >= self.from && self.to.is_none_or(|to| at < to)
    }
}

impl Ledger {
    /// Measures from `at` on.
    pub(super) fn open_window(&mut self, at: Instant) {
        self.window = Some(Window { from: at, to: None });
    }

    /// Measures nothing that was meant to be sent at `at` or later. Returns how long the window was.
    pub(super) fn close_window(&mut self, at: Instant) -> Duration {
        let Some(window) = &mut self.window else { return Duration::ZERO };
        window.to = Some(at);
        at.saturating_duration_since(window.from)
    }

    fn measures(&self, at: Instant) -> bool {
        self.window.is_some_and(|window| window.covers(at))
    }

    /// A message was accepted at `now`. Returns whether its end has been seen already.
    pub(super) fn accepted(&mut self, id: MessageId, intended: Instant, now: Instant) -> bool {
        self.total.accepted += 1;
        self.measured.accepted += u64::from(self.measures(now));
        self.answered(intended, now);
        self.open.insert(id, intended);
        match self.early.remove(&id) {
            Some((at, status)) => self.ended(id, at, &status),
            None => false,
        }
    }

    /// A message ended at `at`. Returns whether that was news about a message of this run.
    pub(super) fn ended(&mut self, id: MessageId, at: Instant, status: &str) -> bool {
        let Some(intended) = self.open.remove(&id) else {
            if self.early.len() < EARLY_MAX {
                self.early.insert(id, (at, status.to_owned()));
            }
            return false;
        };
        self.total.completed += 1;
        self.measured.completed += u64::from(self.measures(at));
        if self.measures(intended) {
            self.end_to_end.record(at.saturating_duration_since(intended));
        }
        match self.statuses.get_mut(status) {
            Some(count) => *count += 1,
            None => drop(self.statuses.insert(status.to_owned(), 1)),
        }
        true
    }

    /// A message was answered with something other than 202.
    pub(super) fn refused(&mut self, status: u16, intended: Instant, now: Instant) {
        *self.refused.entry(status).or_default() += 1;
        self.answered(intended, now);
    }

    /// A message was not answered.
    pub(super) fn unanswered(&mut self, intended: Instant, now: Instant) {
        self.unanswered += 1;
        self.answered(intended, now);
    }

    /// A message of the schedule was not sent by `now`. Its latency is at least what has passed: leaving it out
    /// would flatter a server that is too slow for the rate.
    pub(super) fn unsent(&mut self, intended: Instant, now: Instant) {
        self.unsent += 1;
        self.answered(intended, now);
    }

    fn answered(&mut self, intended: Instant, now: Instant) {
        if self.measures(intended) {
            self.accept.record(now.saturating_duration_since(intended));
        }
    }

    /// Accepted messages that have not ended.
    pub(super) fn open(&self) -> u64 {
        u64::try_from(self.open.len()).unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::UnixMillis;

    fn id(sequence: u16) -> MessageId {
        MessageId::mint(UnixMillis(1_767_323_045_000), 0, sequence, 0)
    }

    const fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn latency_counts_from_the_intended_start_and_only_within_the_window() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
        ledger.accepted(id(1), start, start + ms(1));
        ledger.open_window(start + ms(10));
        // Meant for 20, sent late, answered at 90: the wait before sending counts.
        ledger.accepted(id(2), start + ms(20), start + ms(90));
        assert_eq!(ledger.close_window(start + ms(110)), ms(100));
        ledger.accepted(id(3), start + ms(120), start + ms(121));
        for (sequence, at) in [(1, 50), (2, 100), (3, 130)] {
            assert!(ledger.ended(id(sequence), start + ms(at), "delivered"));
        }
        let accept = ledger.accept.less(ms(0)).unwrap();
        assert_eq!((accept.samples, accept.max.round()), (1, 70.0));
        assert_eq!(ledger.end_to_end.less(ms(50)).unwrap().max.round(), 30.0);
        assert_eq!(ledger.total, Counts { accepted: 3, completed: 3 });
        assert_eq!(ledger.measured, Counts { accepted: 1, completed: 2 }, "rates go by when it happened");
        assert_eq!(ledger.statuses, BTreeMap::from([("delivered".to_owned(), 3)]));
    }

    #[test]
    fn an_end_that_overtakes_the_answer_is_not_lost_and_a_second_end_is_no_news() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
        assert!(!ledger.ended(id(1), start + ms(2), "failed"));
        assert!(ledger.accepted(id(1), start, start + ms(3)));
        assert!(!ledger.ended(id(1), start + ms(4), "failed"));
        assert!(!ledger.accepted(id(2), start, start + ms(3)));
        assert_eq!((ledger.open(), ledger.total.completed), (1, 1));
    }

    #[test]
    fn what_could_not_be_sent_counts_as_slow() {
        let (mut ledger, start) = (Ledger::default(), Instant::now());
        ledger.open_window(start);
        ledger.refused(503, start, start + ms(1));
        ledger.unanswered(start, start + ms(2));
        ledger.unsent(start, start + ms(9_000));
        let accept = ledger.accept.less(ms(0)).unwrap();
        assert_eq!(accept.samples, 3);
        assert!(accept.max >= 8_990.0);
        assert_eq!((ledger.refused[&503], ledger.unanswered, ledger.unsent), (1, 1, 1));
    }
}
