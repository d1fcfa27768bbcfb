//! Cascades in NATS JetStream.
//!
//! Partition `p` lives in bucket `p % buckets`, because one stream flushes one write at a time. A bucket
//! follows the layout of a NATS key-value bucket, so that its tools can read it. Keys:
//!
//! - `e.<partition>.<message id>`: the envelope, sealed ([`EnvelopeVault`]); JSON from earlier builds until it is sealed;
//! - `s.<partition>.<message id>`: the state; its stream sequence is the revision;
//! - `l.<partition>.<message id>`: present while the cascade lives, holding when it is due;
//! - `l.<partition>.end`, `l.end`, `e.end`: marks of who reads the list of those;
//! - `sealed`: present where no envelope of an earlier build is left in plain text;
//! - `vault`, in the first bucket: whose data keys the envelopes are sealed under.
//!
//! The `l` keys are what recovery lists: reading every state instead would read all that ended in the
//! last weeks. They cost no flush of their own and cannot disagree with the states, because each commit
//! is *one atomic batch* (nats-server 2.12): envelope, live key and state together, the state guarded by
//! its expected sequence. Everything but live keys expires by itself some weeks after the message ended.
//!
//! [`EnvelopeVault`]: hermes_ports::EnvelopeVault

mod batch;
mod bucket;
mod creations;
mod envelopes;
mod keys;
mod live;
mod options;
mod reader;
mod store;
mod value;
mod vault_mark;

pub use options::{ClusterOptions, OpenError};
pub use store::NatsCascadeStore;
