//! Reads every newest value of a pattern of keys.
//!
//! The server sends each key's newest value, oldest change first. It also says how many are pending, but that number is
//! wrong while deletions expire (server 2.12), so whoever reads writes a mark and reads until they meet it.

use std::time::Duration;

use async_nats::{
    Client,
    jetstream::{
        Message,
        consumer::{
            DeliverPolicy, ReplayPolicy,
            push::{Ordered, OrderedConfig},
        },
    },
};
use bytes::Bytes;
use futures::StreamExt as _;
use hermes_ports::StoreError;
use tokio::time::timeout;

use super::{
    batch::{self, Put},
    bucket::{Bucket, unavailable},
    keys::{self, Kind},
};

/// Longest wait for the next value.
const NEXT_WITHIN: Duration = Duration::from_secs(10);

/// Values of one kind, in one partition of a bucket or all.
pub(super) struct Reader {
    values: Ordered,
}

/// A value, and where in the stream it is.
pub(super) struct Read {
    pub(super) message: Message,
    pub(super) sequence: u64,
}

impl Reader {
    /// Begins with the oldest.
    pub(super) async fn open(
        client: &Client,
        bucket: &Bucket,
        kind: Kind,
        partition: Option<u8>,
    ) -> Result<Self, StoreError> {
        let config = OrderedConfig {
            deliver_subject: client.new_inbox(),
            filter_subject: bucket.subject(&keys::pattern(kind, partition)),
            replay_policy: ReplayPolicy::Instant,
            deliver_policy: DeliverPolicy::All, // A bucket holds no older values.
            ..OrderedConfig::default()
        };
        let consumer = bucket.stream.create_consumer(config).await.map_err(unavailable("listing keys"))?;
        let values = consumer.messages().await.map_err(unavailable("listing keys"))?;
        Ok(Self { values })
    }

    /// The next value, which may be a deletion or a mark.
    pub(super) async fn next(&mut self) -> Result<Read, StoreError> {
        let next = timeout(NEXT_WITHIN, self.values.next()).await.map_err(unavailable("waiting for keys"))?;
        let message = next.ok_or_else(|| damaged("the list of keys"))?;
        let message = message.map_err(unavailable("reading keys"))?;
        let sequence = message.info().map(|info| info.stream_sequence);
        let sequence = sequence.map_err(|_| damaged("a key's reply subject"))?;
        Ok(Read { message, sequence })
    }
}

/// Writes the one key of the pattern that is no message's, and returns its sequence.
pub(super) async fn mark(
    client: &Client,
    bucket: &Bucket,
    kind: Kind,
    partition: Option<u8>,
) -> Result<u64, StoreError> {
    let subject = bucket.subject(&keys::mark(kind, partition));
    let put = Put { subject, value: Bytes::new(), expected: None, ttl: None, deletes: false };
    batch::write(client, &[put]).await
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}
