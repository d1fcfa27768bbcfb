//! One transaction for many jobs.

use std::{error::Error, time::Instant};

use hermes_ports::kill_point;
use metrics::histogram;
use rusqlite::Connection;
use tracing::{error, warn};

use super::job::{Job, WriteTx};
use crate::{
    key_ring::KeyRing,
    term_tail::{TermChanges, TermTail},
};

/// Jobs in one transaction.
const BATCH_SIZE: &str = "hermes_store_batch_size";
/// Time of one transaction, its flush included.
const BATCH_SECONDS: &str = "hermes_store_batch_seconds";

/// Runs every job durably and answers each.
pub(super) fn write(db: &Connection, tail: &TermTail, keys: &mut KeyRing, mut jobs: Vec<Box<dyn Job>>) {
    let begun = Instant::now();
    histogram!(BATCH_SIZE).record(u32::try_from(jobs.len()).unwrap_or(u32::MAX));
    match transact(db, tail, keys, &mut jobs) {
        Ok(()) => jobs.into_iter().for_each(|job| job.finish(Ok(()))),
        Err(cause) if jobs.len() == 1 => jobs.into_iter().for_each(|job| job.finish(Err(again(&cause)))),
        Err(cause) => {
            warn!(
                error = &cause as &dyn Error,
                jobs = jobs.len(),
                "a batch failed; writing its jobs one by one"
            );
            for mut job in jobs {
                let alone = transact(db, tail, keys, std::slice::from_mut(&mut job));
                job.finish(alone);
            }
        }
    }
    histogram!(BATCH_SECONDS).record(begun.elapsed());
}

/// After an `Err` nothing of it is stored.
fn transact(
    db: &Connection,
    tail: &TermTail,
    keys: &mut KeyRing,
    jobs: &mut [Box<dyn Job>],
) -> rusqlite::Result<()> {
    let mut terms = TermChanges::begin(tail);
    keys.begin();
    db.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    for job in jobs {
        if let Err(cause) = job.run(&mut WriteTx { db, terms: &mut terms, keys }) {
            roll_back(db);
            return Err(cause);
        }
    }
    kill_point::pass("commit.before");
    if let Err(cause) = db.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([])) {
        end_process(&cause);
    }
    kill_point::pass("commit.after");
    terms.publish(tail);
    keys.publish();
    Ok(())
}

/// SQLite rolls some transactions back by itself; only one that is still open must be ended here.
fn roll_back(db: &Connection) {
    if db.is_autocommit() {
        return;
    }
    if let Err(cause) = db.execute_batch("ROLLBACK") {
        end_process(&cause);
    }
}

/// A transaction whose fate is unknown must not be followed by decisions that assume one.
fn end_process(cause: &rusqlite::Error) -> ! {
    error!(error = cause as &dyn Error, "the fate of a transaction is unknown; ending the process");
    std::process::exit(1);
}

fn again(cause: &rusqlite::Error) -> rusqlite::Error {
    match cause {
        rusqlite::Error::SqliteFailure(code, text) => rusqlite::Error::SqliteFailure(*code, text.clone()),
        other => rusqlite::Error::ToSqlConversionFailure(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use hermes_ports::StoreError;
    use tokio::sync::oneshot;

    use super::*;
    use crate::{
        options::EmbeddedOptions,
        schema::{DATABASE, open_writer},
        writer::job::{Change, Task},
    };

    fn key_ring(directory: &std::path::Path) -> KeyRing {
        let cipher = hermes_sealing::Cipher::new(&[1; 32], None);
        let (file, key) = crate::key_file::KeyFile::open(&directory.join("keys.db"), &cipher, false).unwrap();
        KeyRing::new(file, std::sync::Arc::new(crate::vault::Vault::new(key)))
    }

    type Answer = oneshot::Receiver<Result<i64, StoreError>>;

    fn inserting(key: i64, and_then: fn(i64) -> Change<i64>) -> (Box<dyn Job>, Answer) {
        let (reply, answer) = oneshot::channel();
        let work = move |tx: &mut WriteTx<'_>| {
            tx.db.execute("INSERT INTO message (key, envelope) VALUES (?1, x'')", [key])?;
            tx.terms.add(1, key);
            and_then(key)
        };
        (Box::new(Task::new("testing", work, reply)), answer)
    }

    #[test]
    fn a_job_that_sqlite_refuses_fails_alone_and_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let db =
            open_writer(&directory.path().join(DATABASE), &EmbeddedOptions::new(directory.path())).unwrap();
        let tail = TermTail::new(0, BTreeSet::new());
        let mut keys = key_ring(directory.path());
        let good = |key| Ok(Ok(key));
        let (jobs, answers): (Vec<_>, Vec<_>) =
            [inserting(1, good), inserting(2, |_| Err(rusqlite::Error::InvalidQuery)), inserting(3, good)]
                .into_iter()
                .unzip();
        write(&db, &tail, &mut keys, jobs);
        let mut answers = answers.into_iter().map(|mut answer: Answer| answer.try_recv().unwrap());
        assert_eq!(answers.next().unwrap().unwrap(), 1);
        assert!(matches!(answers.next().unwrap(), Err(StoreError::Unavailable { .. })));
        assert_eq!(answers.next().unwrap().unwrap(), 3);
        let keys: String =
            db.query_row("SELECT group_concat(key) FROM message", [], |row| row.get(0)).unwrap();
        assert_eq!((keys.as_str(), tail.entries()), ("1,3", vec![(1, 1), (1, 3)]));
    }
}
