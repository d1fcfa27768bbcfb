//! Every storing port on one SQLite database in the process.
//!
//! One thread writes: it gathers what waits into one transaction, so that many commits share one
//! flush to disk. Everything else reads, through a small pool of its own connections.
//! A lock on the data directory keeps a second process out for as long as this one lives.

mod audit;
mod audit_reader;
mod backend;
mod batch_lines;
mod batch_rows;
mod batches;
mod cascade_store;
mod claim;
mod columns;
mod commit;
mod directory_lock;
mod envelope_vault;
mod erasure;
mod inbound_log;
mod key_file;
mod key_ring;
mod key_sweep;
mod list_follow;
mod live_scan;
mod message_log;
mod options;
mod outbox;
mod plain_envelopes;
mod private_files;
mod provider_lists;
mod receipt_inbox;
mod registry;
mod retention;
mod schema;
mod suppression_filter;
mod suppressions;
mod term;
mod term_merge;
mod term_tail;
mod upkeep;
mod usage;
mod vault;
mod webhook_failure;
mod writer;

pub use audit_reader::AuditReader;
pub use backend::EmbeddedBackend;
pub use directory_lock::LockError;
pub use options::{EmbeddedOptions, OpenError};
pub use schema::{SchemaVersion, schema_version};
