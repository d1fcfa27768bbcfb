//! How the store is opened, and why it could not be.

use std::{sync::Arc, time::Duration};

use async_nats::jetstream::context::CreateStreamError;
use hermes_ports::clock::{Clock, SystemClock};

/// How the store is opened.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    /// Buckets are called `<prefix>-<number>`. Letters, digits, `-` and `_`.
    pub bucket_prefix: String,
    /// How many buckets, 1–256. Fixed once there are messages: partitions map onto them.
    pub buckets: u8,
    /// Copies of each bucket, on that many servers: 1, 3 or 5.
    pub replicas: usize,
    /// How long messages stay after their end, for late receipts.
    pub ended_for: Duration,
    /// How long it stays known that a message lives no more, for scans under way.
    pub deletions_for: Duration,
    /// Most atomic batches under way in one bucket from this node. The server allows 50 in all.
    pub batches_max: usize,
    /// For times to live.
    pub clock: Arc<dyn Clock>,
}

impl Default for ClusterOptions {
    fn default() -> Self {
        Self {
            bucket_prefix: "hermes-cascades".into(),
            buckets: 16,
            replicas: 1,
            ended_for: Duration::from_secs(40 * 24 * 3_600),
            deletions_for: Duration::from_secs(120),
            batches_max: 12,
            clock: Arc::new(SystemClock::at_boot()),
        }
    }
}

/// Why the store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The server is too old for atomic batches and times to live of single keys.
    #[error("nats-server {found} is too old: 2.12 or later is needed")]
    ServerTooOld {
        /// Its version.
        found: String,
    },
    /// A bucket could not be made, or brought to these options.
    #[error("could not open bucket {bucket}")]
    Bucket {
        /// Which.
        bucket: String,
        /// The cause.
        #[source]
        cause: Box<CreateStreamError>,
    },
    /// No server answers at the address, or it refuses us.
    #[error("could not connect to NATS")]
    Connect(#[source] async_nats::ConnectError),
    /// The messages there are encrypted under data keys that are not in this node's `keys.db`.
    #[error("the messages on NATS belong to another keys.db than that of this node")]
    OtherVault,
    /// The vault of the buckets could not be read or written.
    #[error("could not tell whose messages are on NATS")]
    Vault(#[source] hermes_ports::StoreError),
    /// There must be at least one bucket.
    #[error("there must be at least one bucket")]
    NoBuckets,
}
