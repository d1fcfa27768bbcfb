//! Lists what lives, by reading live keys only.

use std::time::Duration;

use async_nats::jetstream::consumer::{DeliverPolicy, ReplayPolicy, push::OrderedConfig};
use futures::StreamExt as _;
use hermes_ports::{StoreError, cascade_store::OpenCascade};
use tokio::time::timeout;

use super::{
    bucket::{Bucket, unavailable},
    keys::{self, Kind},
    value,
};

/// Longest wait for the next key.
const NEXT_WITHIN: Duration = Duration::from_secs(10);

/// Every live cascade of a bucket, or of one partition in it, in order of arrival.
///
/// The server sends the newest value of each key, oldest change first. A key that changes meanwhile is
/// sent again with its new value, so the end is where nothing is pending any more.
pub(super) async fn scan(
    bucket: &Bucket,
    inbox: String,
    partition: Option<u8>,
) -> Result<Vec<OpenCascade>, StoreError> {
    let config = OrderedConfig {
        deliver_subject: inbox,
        filter_subject: bucket.subject(&keys::pattern(Kind::Live, partition)),
        replay_policy: ReplayPolicy::Instant,
        deliver_policy: DeliverPolicy::LastPerSubject,
        ..OrderedConfig::default()
    };
    let consumer = bucket.stream.create_consumer(config).await.map_err(unavailable("listing live keys"))?;
    let mut pending = consumer.cached_info().num_pending;
    let mut messages = consumer.messages().await.map_err(unavailable("listing live keys"))?;
    let mut open = std::collections::BTreeMap::new();
    while pending > 0 {
        let next =
            timeout(NEXT_WITHIN, messages.next()).await.map_err(unavailable("waiting for live keys"))?;
        let Some(message) = next else { break };
        let message = message.map_err(unavailable("reading live keys"))?;
        pending = message.info().map_or(0, |info| info.pending);
        let Some(id) = keys::message(&message.subject) else { continue };
        if message.payload.is_empty() {
            open.remove(&id); // Deleted while the list was read.
            continue;
        }
        let found = value::decode_live(id, &message.payload);
        open.insert(id, found.ok_or_else(|| StoreError::Damaged { what: format!("live key of {id}") })?);
    }
    Ok(open.into_values().collect())
}
