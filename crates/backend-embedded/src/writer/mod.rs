//! The one thread that writes.
//!
//! Writes arrive as jobs in a bounded queue. The thread takes everything that waits, runs it in one
//! transaction and answers after the commit. A job that finds a conflict fails alone. A job that
//! SQLite refuses ends its transaction, after which each job of the batch runs in a transaction of
//! its own. When a COMMIT itself fails its fate is unknown, so the process ends: what it acknowledged
//! is on disk, and what it did not is decided again after the restart.

mod batch;
mod checkpoint;
mod job;
mod queue;
mod thread;

pub(crate) use job::{Change, WriteTx};
pub(crate) use queue::Writer;
