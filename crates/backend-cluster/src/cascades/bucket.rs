//! One bucket: its stream, its subjects, its limits.

use std::{error::Error, time::Duration};

use async_nats::jetstream::{
    self, ErrorCode,
    stream::{Config, DiscardPolicy, LastRawMessageErrorKind, StorageType, Stream},
};
use bytes::Bytes;
use hermes_ports::StoreError;
use tokio::sync::Semaphore;

use super::options::{ClusterOptions, OpenError};

/// A bucket.
#[derive(Debug)]
pub(super) struct Bucket {
    name: String,
    pub(super) stream: Stream,
    /// One permit per atomic batch under way.
    pub(super) batches: Semaphore,
}

/// A value with its sequence in the stream.
#[derive(Debug)]
pub(super) struct Value {
    pub(super) sequence: u64,
    pub(super) value: Bytes,
}

impl Bucket {
    /// Opens or makes a bucket.
    pub(super) async fn open(
        context: &jetstream::Context,
        number: u8,
        options: &ClusterOptions,
    ) -> Result<Self, OpenError> {
        let name = format!("{}-{number}", options.bucket_prefix);
        let config = config(&name, options.replicas);
        let failed = |cause| OpenError::Bucket { bucket: name.clone(), cause: Box::new(cause) };
        context.create_or_update_stream(config.clone()).await.map_err(failed)?;
        let stream = context.create_stream(config).await.map_err(failed)?; // Exists just so: a handle to it.
        let batches = Semaphore::new(options.batches_max.max(1));
        Ok(Self { stream, name, batches })
    }

    /// What it is called, as NATS tools do.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The subject of a key or a pattern of keys.
    pub(super) fn subject(&self, key: &str) -> String {
        format!("$KV.{}.{key}", self.name)
    }

    /// The newest value of a key, asked of the stream's leader so that it is never an old one.
    pub(super) async fn get(&self, key: &str) -> Result<Option<Value>, StoreError> {
        match self.stream.get_last_raw_message_by_subject(&self.subject(key)).await {
            // An empty value marks a deletion.
            Ok(message) if message.payload.is_empty() => Ok(None),
            Ok(message) => Ok(Some(Value { sequence: message.sequence, value: message.payload })),
            Err(error) => match error.kind() {
                LastRawMessageErrorKind::NoMessageFound => Ok(None),
                LastRawMessageErrorKind::JetStream(cause)
                    if cause.error_code() == ErrorCode::NO_MESSAGE_FOUND =>
                {
                    Ok(None)
                }
                _ => Err(unavailable("reading a key")(error)),
            },
        }
    }
}

/// A key-value bucket that also takes atomic batches and times to live. Reads go to the leader only.
fn config(name: &str, replicas: usize) -> Config {
    Config {
        name: format!("KV_{name}"),
        subjects: vec![format!("$KV.{name}.>")],
        description: Some("cascades of Hermes".into()),
        max_messages_per_subject: 1,
        discard: DiscardPolicy::New,
        storage: StorageType::File,
        num_replicas: replicas,
        duplicate_window: Duration::from_secs(120),
        allow_rollup: true,
        deny_delete: true,
        allow_direct: false,
        allow_message_ttl: true,
        allow_atomic_publish: true,
        ..Config::default()
    }
}

/// A failed call to the server.
pub(super) fn unavailable<E: Error + Send + Sync + 'static>(
    attempted: &'static str,
) -> impl Fn(E) -> StoreError {
    move |cause| StoreError::Unavailable { attempted, cause: Box::new(cause) }
}
