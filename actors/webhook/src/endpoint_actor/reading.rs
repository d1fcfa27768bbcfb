//! When the outbox is read, and what is made of it.

use std::{sync::Arc, time::Duration};

use hermes_domain::{EndpointId, UnixMillis, failure_streak::FailureStreak};
use hermes_ports::{Outbox, StoreError, outbox::Delivery};
use tokio::time::timeout;

use super::{EndpointMsg, HORIZON_MS, State};
use crate::{ledger::Step, window::Offered};

/// Read when at most this share of the window is full, as one part in so many.
const LOW_WATER_PARTS: usize = 4;
/// What a look takes along when nothing is known to be there.
const LOOK_MAX: usize = 100;
/// A reading may take this long.
const READ_LIMIT: Duration = Duration::from_secs(10);
/// Pause after a reading that failed, in milliseconds.
const FAILED_RETRY_MS: u64 = 2_000;

/// What was read.
#[derive(Debug)]
pub(crate) struct Loaded {
    pending: Vec<Delivery>,
    /// Read once: how long the endpoint had been failing before this process.
    failures: Option<Option<FailureStreak>>,
}

/// Whether and when to read.
#[derive(Debug)]
pub(super) struct Reading {
    want: Want,
    /// The earliest time at which something outside the window is known to be due.
    due: Option<UnixMillis>,
    running: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Want {
    Nothing,
    /// Probably there is nothing.
    Look,
    /// There is more than fits.
    More,
}

impl Reading {
    pub(super) const fn new() -> Self {
        Self { want: Want::Nothing, due: None, running: false }
    }

    /// The outbox holds what memory does not.
    pub(super) fn wanted(&mut self) {
        self.want = Want::More;
    }

    /// It may hold something.
    pub(super) fn look(&mut self) {
        self.want = self.want.max(Want::Look);
    }

    /// It holds something that is due at `at`.
    pub(super) fn due_by(&mut self, at: UnixMillis) {
        self.due = Some(self.due.map_or(at, |due| due.min(at)));
    }

    /// When to wake up for a reading.
    pub(super) const fn due_at(&self) -> Option<UnixMillis> {
        if self.running { None } else { self.due }
    }

    pub(super) fn is_wanted(&self) -> bool {
        self.want == Want::More
    }

    /// What a reading that may start now should take along, if there should be one.
    fn start(&mut self, now: UnixMillis, load_max: usize) -> Option<usize> {
        let due = self.due.is_some_and(|due| due <= now);
        if self.running || (self.want == Want::Nothing && !due) {
            return None;
        }
        let take = if self.want == Want::Look && !due { LOOK_MAX.min(load_max) } else { load_max };
        *self = Self { want: Want::Nothing, due: self.due.filter(|_| !due), running: true };
        Some(take)
    }
}

async fn load(
    outbox: &dyn Outbox,
    id: EndpointId,
    limit: usize,
    failures_too: bool,
) -> Result<Loaded, StoreError> {
    let failures = if failures_too { Some(outbox.failures(id).await?) } else { None };
    Ok(Loaded { pending: outbox.pending(id, limit).await?, failures })
}

impl State {
    /// Whether there is room for what a reading brings.
    pub(super) fn may_read(&self) -> bool {
        !self.stood_down && self.window.len() <= self.args.shared.options.window_max / LOW_WATER_PARTS
    }

    /// Reads the outbox in a task if that may bring something.
    pub(super) fn read_outbox(&mut self, now: UnixMillis) {
        if !self.may_read() {
            return;
        }
        let (shared, seat) = (&self.args.shared, &self.args.seat);
        let Some(take) = self.reading.start(now, shared.options.load_max) else { return };
        seat.reading_begins();
        let (since, open) = {
            let ledger = seat.ledger();
            (ledger.now(), ledger.open())
        };
        // What is in memory is pending in the outbox too, and mostly earlier than what is not.
        let limit = self.window.len() + open + take;
        let (shared, id, restored) = (Arc::clone(shared), seat.id, seat.health().is_restored());
        let (me, mailbox) = (self.me.clone(), self.args.mailbox.clone());
        tokio::spawn(async move {
            let _turn = shared.readings.acquire().await; // Never closed.
            let read = timeout(READ_LIMIT, load(&*shared.ports.outbox, id, limit, !restored)).await;
            let read = read.unwrap_or_else(|late| {
                Err(StoreError::Unavailable { attempted: "reading pending webhooks", cause: Box::new(late) })
            });
            let _ = mailbox.cast(&me, EndpointMsg::Loaded { read, since, limit }); // It may have ended meanwhile.
        });
    }

    /// Takes over what was read.
    pub(super) fn loaded(&mut self, read: Result<Loaded, StoreError>, since: Step, limit: usize) {
        self.reading.running = false;
        let now = self.now();
        let rows = match read {
            Ok(read) => {
                if let Some(failures) = read.failures {
                    self.args.seat.health().restore(failures);
                }
                read.pending
            }
            Err(error) => {
                tracing::warn!(endpoint.id = %self.args.seat.id, error = &error as &dyn std::error::Error, "could not read the outbox");
                self.reading.due_by(now.plus_ms(FAILED_RETRY_MS));
                return;
            }
        };
        if self.stood_down {
            return;
        }
        if !self.args.seat.ledger().remembers(since) {
            return self.more();
        }
        let complete = rows.len() < limit;
        for row in rows {
            if row.next_at > now.plus_ms(HORIZON_MS) {
                // All further ones are later still.
                return self.reading.due_by(row.next_at);
            }
            let current = self.args.seat.ledger().is_current(row.event, since);
            if current && self.hold(row.into()) == Offered::Full {
                return self.more();
            }
        }
        if !complete {
            self.more();
        }
    }

    /// There is more than fits: announcements wait their turn in the outbox, behind what is there.
    pub(super) fn more(&mut self) {
        self.reading.wanted();
        self.args.seat.turn_away();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000);

    #[test]
    fn one_reading_runs_at_a_time_and_a_look_takes_little() {
        let mut reading = Reading::new();
        assert_eq!(reading.start(NOW, 2_000), None);
        reading.look();
        assert_eq!(reading.start(NOW, 2_000), Some(LOOK_MAX));
        reading.wanted();
        assert_eq!(reading.start(NOW, 2_000), None, "one runs");
        reading.running = false;
        assert_eq!(reading.start(NOW, 2_000), Some(2_000));
    }

    #[test]
    fn a_look_does_not_hide_that_there_is_more() {
        let mut reading = Reading::new();
        reading.wanted();
        reading.look();
        assert!(reading.is_wanted());
        assert_eq!(reading.start(NOW, 2_000), Some(2_000));
    }

    #[test]
    fn the_earliest_due_time_starts_a_reading() {
        let mut reading = Reading::new();
        reading.due_by(UnixMillis(3_000));
        reading.due_by(UnixMillis(2_000));
        reading.due_by(UnixMillis(9_000));
        assert_eq!(reading.due_at(), Some(UnixMillis(2_000)));
        assert_eq!(reading.start(UnixMillis(1_999), 7), None);
        assert_eq!(reading.start(UnixMillis(2_000), 7), Some(7));
        assert_eq!(reading.due_at(), None);
    }
}
