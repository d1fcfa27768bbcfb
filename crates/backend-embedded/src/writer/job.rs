//! One write, and where its answer goes.

use hermes_ports::StoreError;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::{key_ring::KeyRing, term_tail::TermChanges};

/// The open transaction, as a job sees it.
pub(crate) struct WriteTx<'a> {
    /// For statements. Jobs never begin, commit or roll back.
    pub(crate) db: &'a Connection,
    /// Index entries that become visible with the commit.
    pub(crate) terms: &'a mut TermChanges,
    /// Data keys; those that recipients get or lose become known with the commit.
    pub(crate) keys: &'a mut KeyRing,
}

/// What a job did: a value, or a refusal that wrote nothing.
pub(crate) type Change<T> = rusqlite::Result<Result<T, StoreError>>;

/// A write in the queue.
pub(crate) trait Job: Send {
    /// Runs inside a transaction; may run again in another one, after the first was rolled back.
    fn run(&mut self, tx: &mut WriteTx<'_>) -> rusqlite::Result<()>;
    /// Answers. `Ok` means that the transaction of the last `run` is durable.
    fn finish(self: Box<Self>, durable: Result<(), rusqlite::Error>);
}

/// A closure as a job.
pub(crate) struct Task<T, F> {
    attempted: &'static str,
    work: F,
    done: Option<Result<T, StoreError>>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Task<T, F>
where
    T: Send,
    F: FnMut(&mut WriteTx<'_>) -> Change<T> + Send,
{
    pub(crate) fn new(
        attempted: &'static str,
        work: F,
        reply: oneshot::Sender<Result<T, StoreError>>,
    ) -> Self {
        Self { attempted, work, done: None, reply }
    }
}

impl<T, F> Job for Task<T, F>
where
    T: Send,
    F: FnMut(&mut WriteTx<'_>) -> Change<T> + Send,
{
    fn run(&mut self, tx: &mut WriteTx<'_>) -> rusqlite::Result<()> {
        self.done = Some((self.work)(tx)?);
        Ok(())
    }

    fn finish(self: Box<Self>, durable: Result<(), rusqlite::Error>) {
        let answer = match (durable, self.done) {
            (Ok(()), Some(done)) => done,
            (Ok(()), None) => Err(not_run(self.attempted)),
            (Err(cause), _) => {
                Err(StoreError::Unavailable { attempted: self.attempted, cause: Box::new(cause) })
            }
        };
        let _ = self.reply.send(answer); // The caller may have given up; the write stands all the same.
    }
}

fn not_run(attempted: &'static str) -> StoreError {
    StoreError::Unavailable { attempted, cause: "the writer stopped before it".into() }
}
