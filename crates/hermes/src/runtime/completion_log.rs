//! A line per ended message, for load generators: `<message id> <unix ms> <status>`.
//!
//! Off unless `HERMES_COMPLETION_LOG` names a file. Written from a thread of its own; a line is lost when
//! the thread cannot keep up, which the load generator sees as a missing message.

use std::{
    fs::{File, OpenOptions},
    io::{BufWriter, Write as _},
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use anyhow::Context as _;
use async_trait::async_trait;
use hermes_domain::{MessageId, UnixMillis, cascade::MessageStatus};
use hermes_ports::{
    CascadeStore, Clock, StoreError,
    cascade_store::{Commit, OpenCascade, Revision, StoredCascade},
};

/// Lines that may wait to be written.
const WAITING_MAX: usize = 65_536;
/// Longest time a line waits in the buffer.
const FLUSH_EVERY: Duration = Duration::from_millis(10);

type Line = (MessageId, UnixMillis, MessageStatus);

/// A store that also writes the log.
#[derive(Debug)]
pub(crate) struct Logged {
    inner: Arc<dyn CascadeStore>,
    clock: Arc<dyn Clock>,
    lines: SyncSender<Line>,
}

impl Logged {
    /// Appends to `path` whatever ends in `inner` from now on.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub(crate) fn start(
        inner: Arc<dyn CascadeStore>,
        clock: Arc<dyn Clock>,
        path: &Path,
    ) -> anyhow::Result<Arc<Self>> {
        let open = OpenOptions::new().create(true).append(true).open(path);
        let file = open.with_context(|| format!("could not open the completion log {}", path.display()))?;
        let (lines, received) = sync_channel(WAITING_MAX);
        std::thread::Builder::new()
            .name("completion-log".to_owned())
            .spawn(move || write(file, &received))?;
        Ok(Arc::new(Self { inner, clock, lines }))
    }
}

fn write(file: File, lines: &Receiver<Line>) {
    let mut file = BufWriter::with_capacity(1 << 16, file);
    let mut flushed = Instant::now();
    loop {
        match lines.recv_timeout(FLUSH_EVERY) {
            Ok((id, at, status)) => drop(writeln!(file, "{id} {} {}", at.0, status.as_str())),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return drop(file.flush()),
        }
        if flushed.elapsed() >= FLUSH_EVERY {
            drop(file.flush());
            flushed = Instant::now();
        }
    }
}

#[async_trait]
impl CascadeStore for Logged {
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError> {
        let (id, status) = (commit.id, commit.status);
        let revision = self.inner.commit(commit).await?;
        if status.is_terminal() {
            let _ = self.lines.try_send((id, self.clock.now(), status)); // See the module.
        }
        Ok(revision)
    }

    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError> {
        self.inner.load(id).await
    }

    async fn open(
        &self,
        partition: u8,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError> {
        self.inner.open(partition, after, limit).await
    }

    async fn open_all(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<OpenCascade>, StoreError> {
        self.inner.open_all(after, limit).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}
