//! What happened to a message, oldest first, bounded.

use serde::{Deserialize, Serialize};

use super::AttemptStatus;
use crate::event::EventKind;

/// Most entries kept; then one `timeline_truncated` counts the rest.
pub const TIMELINE_MAX: usize = 64;

/// One entry. Small: a message keeps several.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// Milliseconds after the message was accepted; saturates after 49 days.
    pub after_ms: u32,
    /// What happened.
    pub kind: EventKind,
    /// The step it concerns.
    pub step: Option<u8>,
    /// The attempt it concerns, numbered from 1.
    pub attempt: Option<u16>,
    /// The attempt's status at that moment.
    pub status: Option<AttemptStatus>,
    /// How often it happened in a row; at least 1.
    pub count: u16,
}

/// Entries in order of arrival. An entry's index is its sequence number.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Timeline(Vec<TimelineEntry>);

impl Timeline {
    /// Adds an entry, or counts it onto the last one when it repeats that.
    pub(crate) fn push(&mut self, entry: TimelineEntry) {
        if let Some(last) = self.0.last_mut() {
            let repeats = (last.kind, last.step, last.attempt, last.status)
                == (entry.kind, entry.step, entry.attempt, entry.status);
            if repeats || last.kind == EventKind::TimelineTruncated {
                last.count = last.count.saturating_add(1);
                return;
            }
        }
        if self.0.len() + 1 < TIMELINE_MAX {
            self.0.push(entry);
        } else {
            self.0.push(TimelineEntry {
                kind: EventKind::TimelineTruncated,
                step: None,
                attempt: None,
                status: None,
                ..entry
            });
        }
    }

    /// Every entry, oldest first.
    pub fn entries(&self) -> &[TimelineEntry] {
        &self.0
    }

    /// How many entries there are: the next sequence number.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether nothing has happened yet.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: EventKind, after_ms: u32) -> TimelineEntry {
        TimelineEntry { after_ms, kind, step: None, attempt: Some(1), status: None, count: 1 }
    }

    #[test]
    fn repeats_are_counted_and_length_is_bounded() {
        let mut timeline = Timeline::default();
        timeline.push(entry(EventKind::ReceiptLate, 1));
        timeline.push(entry(EventKind::ReceiptLate, 2));
        assert_eq!((timeline.len(), timeline.entries()[0].count), (1, 2));
        for index in 0..200 {
            timeline.push(TimelineEntry { attempt: Some(index), ..entry(EventKind::AttemptStatus, 3) });
        }
        assert_eq!(timeline.len(), TIMELINE_MAX);
        let last = timeline.entries()[TIMELINE_MAX - 1];
        assert_eq!((last.kind, last.count), (EventKind::TimelineTruncated, 200 - 62));
    }
}
