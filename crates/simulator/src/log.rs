//! What the simulator received: bounded in memory, and in a file if asked for.
//!
//! An entry is recorded, and written to the file, **before** the answer leaves: whatever a caller knows of,
//! the log knows of too. Addresses are reduced to their last four characters, content is never kept.

mod counts;
mod entry;

use std::{
    collections::VecDeque,
    fs::{File, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    path::Path,
};

use parking_lot::Mutex;
use serde::Serialize;
use tracing::error;

pub(crate) use counts::{Count, Counts};
pub(crate) use entry::{Entry, Outcome, Provider, recipient_tail};

use crate::LogDetail;

/// How many submissions are kept with their details.
const ENTRIES_MAX: usize = 200_000;

/// The log of submissions.
#[derive(Debug)]
pub(crate) struct RequestLog {
    detail: LogDetail,
    memory: Mutex<Memory>,
    file: Option<Mutex<File>>,
}

#[derive(Debug, Default)]
struct Memory {
    totals: Totals,
    counts: Counts,
    entries: VecDeque<Entry>,
}

/// Since the start of the log, or since it was cleared.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Totals {
    pub(crate) received: u64,
    /// Taken over by the provider, whatever was answered.
    pub(crate) processed: u64,
}

impl RequestLog {
    /// Opens the log, reading back what an earlier run wrote to `path`.
    pub(crate) fn open(path: Option<&Path>, detail: LogDetail) -> io::Result<Self> {
        let mut memory = Memory::default();
        let file = match path {
            None => None,
            Some(path) => {
                let file = OpenOptions::new().create(true).append(true).read(true).open(path)?;
                reload(&file, &mut memory, detail)?;
                Some(Mutex::new(file))
            }
        };
        Ok(Self { detail, memory: Mutex::new(memory), file })
    }

    /// Records a submission. Writing is a short append to the page cache, so it is done in place.
    pub(crate) fn record(&self, entry: Entry) {
        if let Some(file) = &self.file {
            let mut line = serde_json::to_vec(&entry).expect("an entry has only text keys and plain values");
            line.push(b'\n');
            if let Err(cause) = file.lock().write_all(&line) {
                error!(error = &cause as &dyn std::error::Error, "could not write the request log");
            }
        }
        self.memory.lock().add(entry, self.detail);
    }

    pub(crate) fn totals(&self) -> Totals {
        self.memory.lock().totals
    }

    /// At most `limit` submissions, newest first, optionally of one reference.
    pub(crate) fn newest(&self, limit: usize, reference: Option<&str>) -> Vec<Entry> {
        let memory = self.memory.lock();
        let matching = memory.entries.iter().rev().filter(|entry| {
            reference
                .is_none_or(|wanted| entry.reference.as_ref().is_some_and(|found| found.as_str() == wanted))
        });
        matching.take(limit).cloned().collect()
    }

    /// Calls `visit` with the count of every reference, in no order.
    pub(crate) fn each_count(&self, visit: impl FnMut(&str, Count)) {
        self.memory.lock().counts.each(visit);
    }

    /// How many references are counted, and how many had no room.
    pub(crate) fn references(&self) -> (usize, u64) {
        let memory = self.memory.lock();
        (memory.counts.len(), memory.counts.without_room())
    }

    /// Forgets everything, in the file too.
    pub(crate) fn clear(&self) -> io::Result<()> {
        *self.memory.lock() = Memory::default();
        self.file.as_ref().map_or(Ok(()), |file| file.lock().set_len(0))
    }
}

impl Memory {
    fn add(&mut self, entry: Entry, detail: LogDetail) {
        self.totals.received += 1;
        self.totals.processed += u64::from(entry.processed);
        if detail != LogDetail::Off
            && let Some(reference) = &entry.reference
        {
            self.counts.add(reference.as_str(), entry.processed);
        }
        if detail == LogDetail::Full {
            if self.entries.len() == ENTRIES_MAX {
                self.entries.pop_front();
            }
            self.entries.push_back(entry);
        }
    }
}

/// A line that was cut by a crash is the last one; it is skipped, and so is anything else unreadable.
fn reload(file: &File, memory: &mut Memory, detail: LogDetail) -> io::Result<()> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut ends_in_newline = true;
    while reader.read_until(b'\n', &mut line)? > 0 {
        ends_in_newline = line.ends_with(b"\n");
        if let Ok(entry) = serde_json::from_slice::<Entry>(&line) {
            memory.add(entry, detail);
        }
        line.clear();
    }
    if !ends_in_newline {
        (&mut &*file).write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reference::Reference;

    fn entry(reference: &str, processed: bool) -> Entry {
        Entry {
            at: 1_767_323_045_678,
            provider: Provider::Twilio,
            reference: Reference::parse(reference),
            recipient_tail: "0123".into(),
            status: Some(if processed { 201 } else { 429 }),
            outcome: if processed { Outcome::Accepted } else { Outcome::Refused },
            processed,
            segments: processed.then_some(1),
            reaches: processed,
        }
    }

    fn counts(log: &RequestLog) -> Vec<(String, u32, u32)> {
        let mut counts = Vec::new();
        log.each_count(|reference, count| {
            counts.push((reference.to_owned(), count.received, count.processed));
        });
        counts.sort();
        counts
    }

    #[test]
    fn the_file_is_read_back_past_a_line_cut_by_a_crash() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let log = RequestLog::open(Some(&path), LogDetail::Full).unwrap();
        log.record(entry("msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.1", false));
        log.record(entry("msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.1", true));
        log.record(entry("other", true));
        drop(log);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(br#"{"at":"2026-"#).unwrap();

        let log = RequestLog::open(Some(&path), LogDetail::Full).unwrap();
        log.record(entry("after", true));
        drop(log);
        let log = RequestLog::open(Some(&path), LogDetail::Full).unwrap();
        let expected = [
            ("after".into(), 1, 1),
            ("msg_01ARZ3NDEKTSV4RRFFQ69G5FAV.1".into(), 2, 1),
            ("other".into(), 1, 1),
        ];
        assert_eq!(counts(&log), expected);
        assert_eq!(log.newest(10, None).len(), 4);
        assert_eq!(log.newest(10, Some("other")), [entry("other", true)]);
        assert_eq!((log.totals().received, log.totals().processed), (4, 3));
    }

    #[test]
    fn clearing_empties_the_file_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("requests.jsonl");
        let log = RequestLog::open(Some(&path), LogDetail::Counts).unwrap();
        log.record(entry("a.1", true));
        log.clear().unwrap();
        log.record(entry("b.1", true));
        let lines = std::fs::read_to_string(&path).unwrap();
        assert_eq!(lines.lines().count(), 1);
        assert!(lines.contains("b.1") && lines.contains("\"at\":\"2026-01-02T03:04:05.678Z\""));
        assert!(log.newest(10, None).is_empty(), "counts only");
    }
}
