//! Lists what lives, by reading live keys only.

use std::{collections::BTreeMap, time::Duration};

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
use hermes_domain::MessageId;
use hermes_ports::{StoreError, cascade_store::OpenCascade};
use tokio::time::timeout;

use super::{
    batch::{self, Put},
    bucket::{Bucket, unavailable},
    keys::{self, Kind},
    value,
};

/// Longest wait for the next key.
const NEXT_WITHIN: Duration = Duration::from_secs(10);
/// A key that changes before it was read moves behind the mark; whoever changes it twice runs it.
const MARKS: usize = 2;

/// Every live cascade of a bucket, or of one partition in it.
///
/// The server sends each key's newest value, oldest change first. It also says how many are pending, but
/// that number is wrong while deletions expire (server 2.12), so the scan writes a mark and reads until it
/// meets it.
pub(super) async fn scan(
    client: &Client,
    bucket: &Bucket,
    partition: Option<u8>,
) -> Result<Vec<OpenCascade>, StoreError> {
    let config = OrderedConfig {
        deliver_subject: client.new_inbox(),
        filter_subject: bucket.subject(&keys::pattern(Kind::Live, partition)),
        replay_policy: ReplayPolicy::Instant,
        deliver_policy: DeliverPolicy::All, // A bucket holds no older values.
        ..OrderedConfig::default()
    };
    let consumer = bucket.stream.create_consumer(config).await.map_err(unavailable("listing live keys"))?;
    let mut messages = consumer.messages().await.map_err(unavailable("listing live keys"))?;
    let mut open = BTreeMap::new();
    for _ in 0..MARKS {
        let mark = mark(client, bucket, partition).await?;
        while next(&mut messages, &mut open).await? < mark {}
    }
    Ok(open.into_values().collect())
}

/// Writes the one key that is no cascade's, and returns its sequence.
async fn mark(client: &Client, bucket: &Bucket, partition: Option<u8>) -> Result<u64, StoreError> {
    let subject = bucket.subject(&keys::mark(partition));
    let put = Put { subject, value: Bytes::new(), expected: None, ttl: None, deletes: false };
    batch::write(client, &[put]).await
}

/// Takes one key in, and returns its sequence.
async fn next(
    messages: &mut Ordered,
    open: &mut BTreeMap<MessageId, OpenCascade>,
) -> Result<u64, StoreError> {
    let next = timeout(NEXT_WITHIN, messages.next()).await.map_err(unavailable("waiting for live keys"))?;
    let message = next.ok_or_else(|| damaged("the list of live keys"))?;
    let message = message.map_err(unavailable("reading live keys"))?;
    take(&message, open)?;
    message.info().map(|info| info.stream_sequence).map_err(|_| damaged("a live key's reply subject"))
}

fn take(message: &Message, open: &mut BTreeMap<MessageId, OpenCascade>) -> Result<(), StoreError> {
    let Some(id) = keys::message(&message.subject) else { return Ok(()) };
    if message.payload.is_empty() {
        open.remove(&id); // Deleted while the list was read.
        return Ok(());
    }
    let found = value::decode_live(id, &message.payload);
    open.insert(id, found.ok_or_else(|| damaged(&format!("live key of {id}")))?);
    Ok(())
}

fn damaged(what: &str) -> StoreError {
    StoreError::Damaged { what: what.to_owned() }
}
