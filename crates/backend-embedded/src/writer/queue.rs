//! The way to the writing thread.

use std::{path::Path, sync::Arc, thread::JoinHandle};

use hermes_ports::StoreError;
use parking_lot::Mutex;
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use super::{
    checkpoint::Checkpoints,
    job::{Change, Task, WriteTx},
    thread::{Work, WriterThread},
};
use crate::{
    directory_lock::DirectoryLock,
    key_ring::KeyRing,
    options::{EmbeddedOptions, OpenError},
    schema,
    term_tail::TermTail,
};

/// Hands writes to the writing thread. Dropping it waits until what was handed over is written.
#[derive(Debug)]
pub(crate) struct Writer {
    queue: mpsc::Sender<Work>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    /// Starts the thread on `db`, the writing connection to `path`.
    pub(crate) fn start(
        db: Connection,
        path: &Path,
        lock: DirectoryLock,
        (tail, keys): (Arc<TermTail>, KeyRing),
        options: &EmbeddedOptions,
    ) -> Result<Self, OpenError> {
        let frames_max = options.wal_bytes_max / u64::from(options.page_bytes.max(512));
        let checkpoints = Checkpoints::start(schema::open_checkpointer(path)?, frames_max);
        let (queue, receiver) = mpsc::channel(options.queue_max.max(1));
        let writer = WriterThread {
            db,
            queue: receiver,
            tail,
            keys,
            checkpoints: checkpoints.map_err(OpenError::Thread)?,
            commit_window: options.commit_window,
            batch_max: options.batch_max.max(1),
            lock,
        };
        let thread = std::thread::Builder::new().name("hermes-writer".into()).spawn(move || writer.run());
        Ok(Self { queue, thread: Mutex::new(Some(thread.map_err(OpenError::Thread)?)) })
    }

    /// Runs `work` in the next transaction and returns its answer once that is durable.
    ///
    /// Waits while the queue is full. Dropping the future does not undo what was handed over.
    pub(crate) async fn write<T, F>(&self, attempted: &'static str, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnMut(&mut WriteTx<'_>) -> Change<T> + Send + 'static,
    {
        let closed = || StoreError::Unavailable { attempted, cause: "the store is closed".into() };
        let (reply, answer) = oneshot::channel();
        let job = Work::Job(Box::new(Task::new(attempted, work, reply)));
        self.queue.send(job).await.map_err(|_| closed())?;
        answer.await.map_err(|_| closed())?
    }

    /// Takes nothing more in; returns once everything is written and the directory is unlocked.
    pub(crate) async fn close(&self) {
        let _ = self.queue.send(Work::Close).await; // Fails when it is closed already, which is as good.
        let thread = self.thread.lock().take();
        if let Some(thread) = thread {
            // A panic of the writer ends the process, so there is no other failure to report.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        let (disconnected, _) = mpsc::channel(1);
        self.queue = disconnected; // The thread sees that nobody can send any more.
        if let Some(thread) = self.thread.get_mut().take() {
            let _ = thread.join(); // As in `close`.
        }
    }
}
