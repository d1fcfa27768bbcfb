//! Moves the write-ahead log into the database, beside the writer.
//!
//! A passive checkpoint copies what is in the log when it begins, without stopping the writer. The log
//! starts again from its beginning only once *all* of it is copied, which never happens while commits
//! go on. So the bulk is copied by a thread of its own, and then the writer copies the little that
//! arrived meanwhile, between two transactions.

use std::{
    error::Error,
    io,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread::JoinHandle,
};

use rusqlite::Connection;
use tracing::{error, warn};

use crate::schema;

/// Frames of the log: all, and those already copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Log {
    frames: u64,
    copied: u64,
}

/// The writer waits for the bulk once this many times the wanted frames are not copied.
const OVERDUE: u64 = 10;

/// Decides when to copy, on the writer's side.
pub(super) struct Checkpoints {
    bulk: Option<SyncSender<()>>,
    bulk_done: Receiver<()>,
    /// Asked for and not yet seen done. Two checkpoints at a time would stand in each other's way.
    bulk_runs: bool,
    thread: Option<JoinHandle<()>>,
    frames_max: u64,
}

impl Checkpoints {
    /// Starts the thread that copies, once there are `frames_max` frames to copy.
    pub(super) fn start(db: Connection, frames_max: u64) -> io::Result<Self> {
        let (bulk, wanted) = sync_channel::<()>(1);
        let (done, bulk_done) = sync_channel::<()>(1);
        let copy = move || {
            while wanted.recv().is_ok() {
                copy(&db, "PRAGMA wal_checkpoint(PASSIVE)");
                if done.send(()).is_err() {
                    return; // The writer has ended.
                }
            }
        };
        let thread = std::thread::Builder::new().name("hermes-checkpoint".into()).spawn(copy)?;
        Ok(Self { bulk: Some(bulk), bulk_done, bulk_runs: false, thread: Some(thread), frames_max })
    }

    /// Called by the writer between two transactions.
    pub(super) fn between(&mut self, writer: &Connection) {
        if self.bulk_runs && self.bulk_done.try_recv().is_ok() {
            self.copy_the_rest(writer);
            return;
        }
        let Some(not_copied) = look(writer).map(|log| log.frames - log.copied) else { return };
        if not_copied >= self.frames_max && !self.bulk_runs {
            self.ask_for_bulk();
        }
        if not_copied >= self.frames_max * OVERDUE {
            if self.bulk_runs {
                _ = self.bulk_done.recv(); // An error: the thread has ended, and the writer copies all.
            }
            self.copy_the_rest(writer);
        }
    }

    fn ask_for_bulk(&mut self) {
        let asked = self.bulk.as_ref().is_some_and(|bulk| bulk.send(()).is_ok());
        if !asked {
            error!("the checkpoint thread has ended");
        }
        self.bulk_runs = asked;
    }

    fn copy_the_rest(&mut self, writer: &Connection) {
        self.bulk_runs = false;
        copy(writer, "PRAGMA wal_checkpoint(PASSIVE)");
    }

    /// Empties the log now, so that it holds nothing of what was erased; false where a reader or the other thread is in
    /// the way, to be tried again after the next transaction.
    pub(super) fn empty(&mut self, writer: &Connection) -> bool {
        if self.bulk_runs && self.bulk_done.try_recv().is_ok() {
            self.bulk_runs = false;
        }
        !self.bulk_runs && schema::empty_log(writer).unwrap_or(false)
    }

    /// Copies everything and empties the log; the last thing the writer does.
    pub(super) fn finish(mut self, writer: &Connection) {
        self.bulk = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            error!("the checkpoint thread panicked");
        }
        copy(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
    }
}

/// Failure is no loss: the log keeps what was not copied, and the next call tries again.
fn copy(db: &Connection, pragma: &str) {
    if let Err(cause) = db.query_row(pragma, [], |_| Ok(())) {
        warn!(error = &cause as &dyn Error, "could not copy the write-ahead log into the database");
    }
}

fn look(db: &Connection) -> Option<Log> {
    let mut noop = db.prepare_cached("PRAGMA wal_checkpoint(NOOP)").ok()?;
    let log = noop.query_row([], |row| {
        let count = |column| row.get::<_, i64>(column).map(|frames| u64::try_from(frames).unwrap_or(0));
        Ok(Log { frames: count(1)?, copied: count(2)? })
    });
    log.ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        options::EmbeddedOptions,
        schema::{DATABASE, open_checkpointer, open_writer},
    };

    #[test]
    fn the_log_starts_again_although_writes_never_stop() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(DATABASE);
        let db = open_writer(&path, &EmbeddedOptions::new(directory.path())).unwrap();
        db.execute_batch("PRAGMA synchronous = off").unwrap(); // The test is about sizes, not durability.
        let mut checkpoints = Checkpoints::start(open_checkpointer(&path).unwrap(), 100).unwrap();
        let mut largest = 0;
        for key in 0..10_000 {
            db.execute("INSERT INTO message VALUES (?1, zeroblob(1000))", [key]).unwrap();
            checkpoints.between(&db);
            largest = largest.max(look(&db).unwrap().frames);
        }
        checkpoints.finish(&db);
        // Overdue twice: once while the bulk is copied, once more before the writer hears that it is.
        assert!(largest < 2_100, "the log grew to {largest} frames, as if it never started again");
        assert_eq!(look(&db), Some(Log { frames: 0, copied: 0 }));
    }
}
