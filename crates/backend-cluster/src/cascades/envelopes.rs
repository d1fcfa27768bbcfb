//! Envelopes: sealed under data keys that are not in NATS, and rewritten when what is personal in them goes.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use hermes_domain::{MessageId, UnixMillis, message::Envelope, policy::Kept};
use hermes_ports::StoreError;
use tracing::{error, info};

use super::{
    batch::{self, Put},
    bucket::{Bucket, Value, unavailable},
    keys::{self, Kind},
    reader::{Read, Reader, mark},
    store::{NatsCascadeStore, damaged},
};

/// Present in a bucket whose envelopes are all sealed.
const SEALED: &str = "sealed";
/// Messages that are let go of at once: each is a flush of its bucket.
const AT_ONCE: usize = 8;

impl NatsCascadeStore {
    /// How long a key stays that is needed until then.
    pub(super) fn kept(&self, until: UnixMillis) -> Duration {
        Duration::from_millis(until.since(self.options.clock.now())) + self.options.ended_for
    }

    /// The envelope of a message. `None` when it is gone.
    pub(super) async fn stored_envelope(&self, id: MessageId) -> Result<Option<Arc<Envelope>>, StoreError> {
        let Some(found) = self.envelope_value(id).await? else { return Ok(None) };
        match self.vault.unseal(&found.value).await {
            Ok(envelope) => Ok(Some(Arc::new(envelope))),
            Err(StoreError::Damaged { .. }) => Err(damaged("envelope", id)),
            Err(failure) => Err(failure),
        }
    }

    async fn envelope_value(&self, id: MessageId) -> Result<Option<Value>, StoreError> {
        self.bucket(id.partition()).get(&keys::key(Kind::Envelope, id)).await
    }

    /// Seals the envelopes of earlier builds, which are in plain JSON. Costs nothing once that is done.
    pub(super) async fn seal_plain(&self) -> Result<(), StoreError> {
        let mut unsealed = self.unsealed.lock().await;
        while let Some(number) = unsealed.last().copied() {
            let bucket = &self.buckets[usize::from(number)];
            if bucket.get(SEALED).await?.is_none() {
                self.seal_bucket(bucket).await?;
            }
            unsealed.pop();
        }
        Ok(())
    }

    /// Whatever is written meanwhile is sealed already, so reading up to a mark is enough.
    async fn seal_bucket(&self, bucket: &Bucket) -> Result<(), StoreError> {
        let mut reader = Reader::open(&self.client, bucket, Kind::Envelope, None).await?;
        let end = mark(&self.client, bucket, Kind::Envelope, None).await?;
        let mut sealed = 0_u64;
        loop {
            let read = reader.next().await?;
            sealed += u64::from(self.seal_one(bucket, &read).await?);
            if read.sequence >= end {
                break;
            }
        }
        if sealed > 0 {
            info!(
                bucket = bucket.name(),
                messages = sealed,
                "the messages of earlier builds are encrypted now"
            );
        }
        let done = Put {
            subject: bucket.subject(SEALED),
            value: Bytes::from_static(b"1"),
            expected: None,
            ttl: None,
            deletes: false,
        };
        batch::write(&self.client, &[done]).await.map(drop)
    }

    /// Whether it was plain. One that cannot be read stays as it is: it is damaged wherever it is looked at.
    async fn seal_one(&self, bucket: &Bucket, read: &Read) -> Result<bool, StoreError> {
        let (Some(id), payload) = (keys::message(&read.message.subject), &read.message.payload) else {
            return Ok(false);
        };
        if payload.is_empty() || !self.vault.is_plain(payload) {
            return Ok(false);
        }
        let envelope = match self.vault.unseal(payload).await {
            Err(StoreError::Damaged { .. }) => {
                error!(message.id = %id, "a damaged message stays as it is");
                return Ok(false);
            }
            read => read?,
        };
        let sealed = self.vault.seal(&envelope).await?;
        let put = Put { expected: Some(read.sequence), ..self.envelope_put(bucket, &envelope, sealed) };
        match batch::write(&self.client, &[put]).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false), // It went meanwhile, or somebody else has sealed it.
            Err(failure) => Err(failure),
        }
    }

    /// The key of an envelope, written anew.
    pub(super) fn envelope_put(&self, bucket: &Bucket, envelope: &Envelope, value: Bytes) -> Put {
        Put {
            subject: bucket.subject(&keys::key(Kind::Envelope, envelope.id)),
            value,
            expected: None,
            ttl: Some(self.kept(envelope.expires_at)),
            deletes: false,
        }
    }

    /// Takes away what is personal in messages that have ended, or the messages.
    pub(crate) async fn let_go_of(
        &self,
        what: Kept,
        messages: &[Arc<Envelope>],
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        let gone = stream::iter(messages.to_vec()).map(|envelope| async move {
            match what {
                Kept::Content => self.bare(&envelope, at).await,
                Kept::Message => self.delete(envelope.id).await,
            }
        });
        gone.buffer_unordered(AT_ONCE).try_collect::<()>().await
    }

    async fn bare(&self, envelope: &Envelope, at: UnixMillis) -> Result<(), StoreError> {
        if self.envelope_value(envelope.id).await?.is_none() {
            return Ok(());
        }
        let bucket = self.bucket(envelope.id.partition());
        let put = self.envelope_put(bucket, envelope, self.vault.bare(envelope, at)?);
        self.write_all(bucket, &[put]).await
    }

    async fn delete(&self, id: MessageId) -> Result<(), StoreError> {
        if self.envelope_value(id).await?.is_none() {
            return Ok(());
        }
        let bucket = self.bucket(id.partition());
        let delete = |kind| Put {
            subject: bucket.subject(&keys::key(kind, id)),
            value: Bytes::new(),
            expected: None,
            ttl: Some(self.options.deletions_for),
            deletes: true,
        };
        self.write_all(bucket, &[Kind::Live, Kind::State, Kind::Envelope].map(delete)).await
    }

    async fn write_all(&self, bucket: &Bucket, puts: &[Put]) -> Result<(), StoreError> {
        let _permit = bucket.batches.acquire().await.map_err(unavailable("waiting for a batch"))?;
        batch::write(&self.client, puts).await.map(drop)
    }
}
