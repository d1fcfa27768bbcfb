//! The store itself.

use std::{fmt, sync::Arc};

use async_nats::{Client, jetstream};
use async_trait::async_trait;
use futures::future::try_join_all;
use hermes_domain::{MessageId, cascade::decode, message::Envelope};
use hermes_ports::{
    CascadeStore, EnvelopeVault, StoreError,
    cascade_store::{Commit, OpenCascade, Revision, StoredCascade},
    kill_point,
};
use parking_lot::Mutex;
use tokio::sync::Mutex as AsyncMutex;

use super::{
    batch::{self, Put},
    bucket::{Bucket, unavailable},
    creations::Creations,
    keys::{self, Kind},
    live,
    options::{ClusterOptions, OpenError},
    value::{self, Rest},
    vault_mark,
};
use crate::commit_rest::{CommitRest, RestOfCommit};

/// Keeps cascades in NATS JetStream.
pub struct NatsCascadeStore {
    pub(super) client: Client,
    pub(super) buckets: Vec<Bucket>,
    rest: Arc<dyn CommitRest>,
    pub(super) vault: Arc<dyn EnvelopeVault>,
    pub(super) options: ClusterOptions,
    /// Numbers of the buckets that may hold envelopes in plain text.
    pub(super) unsealed: AsyncMutex<Vec<u8>>,
    pub(super) creations: Creations,
    /// What is left of the newest scan of everything: boot pages through one scan.
    scanned: Mutex<Vec<OpenCascade>>,
}

impl NatsCascadeStore {
    /// Connects to `url`, several separated by commas, and opens the store.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn connect(
        url: &str,
        options: ClusterOptions,
        rest: Arc<dyn CommitRest>,
        vault: Arc<dyn EnvelopeVault>,
    ) -> Result<Arc<Self>, OpenError> {
        let client = async_nats::connect(url).await.map_err(OpenError::Connect)?;
        Self::open(client, options, rest, vault).await
    }

    /// Opens the buckets, making those that do not exist.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(
        client: Client,
        options: ClusterOptions,
        rest: Arc<dyn CommitRest>,
        vault: Arc<dyn EnvelopeVault>,
    ) -> Result<Arc<Self>, OpenError> {
        if options.buckets == 0 {
            return Err(OpenError::NoBuckets);
        }
        if !client.is_server_compatible(2, 12, 0) {
            return Err(OpenError::ServerTooOld { found: client.server_info().version });
        }
        let context = jetstream::new(client.clone());
        let buckets = (0..options.buckets).map(|number| Bucket::open(&context, number, &options));
        let buckets = try_join_all(buckets).await?;
        vault_mark::claim(&client, &buckets[0], vault.fingerprint()).await?;
        Ok(Arc::new(Self {
            client,
            unsealed: AsyncMutex::new((0..options.buckets).collect()),
            buckets,
            rest,
            vault,
            options,
            creations: Creations::default(),
            scanned: Mutex::default(),
        }))
    }

    /// Records live messages that have no row in the companion yet: loading one records what its commit could not.
    pub(super) async fn record_left_out(&self) -> Result<(), StoreError> {
        for open in self.scan_all().await? {
            if !self.rest.is_recorded(open.id).await? {
                self.load(open.id).await?;
            }
        }
        Ok(())
    }

    pub(super) fn bucket(&self, partition: u8) -> &Bucket {
        // Never empty: `open` refuses that.
        &self.buckets[usize::from(partition) % self.buckets.len()]
    }

    async fn write(&self, commit: &Commit) -> Result<Revision, StoreError> {
        let bucket = self.bucket(commit.id.partition());
        let mut puts = Vec::with_capacity(3);
        if let (None, Some(envelope)) = (commit.expected, &commit.envelope) {
            let sealed = self.vault.seal(envelope).await?;
            puts.push(Put { expected: Some(0), ..self.envelope_put(bucket, envelope, sealed) });
        }
        puts.extend(self.state_puts(bucket, commit)?);
        let permit = bucket.batches.acquire().await.map_err(unavailable("waiting for a batch"))?;
        kill_point::pass("nats_commit.before");
        let sequence = batch::write(&self.client, &puts).await?;
        kill_point::pass("nats_commit.after");
        drop(permit);
        Ok(Revision(sequence))
    }

    /// The keys that every commit writes; the guarded state comes last, so its sequence is the answer.
    fn state_puts(&self, bucket: &Bucket, commit: &Commit) -> Result<[Put; 2], StoreError> {
        let put = |kind, value, expected, ttl| Put {
            subject: bucket.subject(&keys::key(kind, commit.id)),
            value,
            expected,
            ttl,
            deletes: false,
        };
        let live = match commit.due {
            Some(due) => put(Kind::Live, value::encode_live(due, commit.owes_effect), None, None),
            None => Put {
                deletes: true,
                ..put(Kind::Live, bytes::Bytes::new(), None, Some(self.options.deletions_for))
            },
        };
        let state = value::encode_state(commit).map_err(|_| damaged("rest", commit.id))?;
        let expected = commit.expected.map_or(0, |revision| revision.0);
        let until = commit.due.unwrap_or_else(|| self.options.clock.now());
        Ok([live, put(Kind::State, state, Some(expected), Some(self.kept(until)))])
    }

    /// The envelope of a commit, read back where the commit does not bring it.
    async fn envelope(&self, commit: &Commit) -> Result<Arc<Envelope>, StoreError> {
        match &commit.envelope {
            Some(envelope) => Ok(Arc::clone(envelope)),
            None => self.stored_envelope(commit.id).await?.ok_or_else(|| damaged("envelope", commit.id)),
        }
    }

    async fn record_rest(&self, stored: &StoredCascade, rest: Rest) -> Result<(), StoreError> {
        let rest = RestOfCommit {
            envelope: Arc::clone(&stored.envelope),
            state: stored.state.clone(),
            outbox: rest.outbox,
            consumed: rest.consumed,
            provider_ids: rest.provider_ids,
        };
        self.rest.record(rest).await
    }

    /// Claim, state, rest.
    async fn commit_all(&self, commit: Commit) -> Result<Revision, StoreError> {
        let state = decode(&commit.state).map_err(|_| damaged("state", commit.id))?;
        if let (None, Some(claim), Some(envelope)) = (commit.expected, &commit.claim, &commit.envelope) {
            self.rest.claim(claim, envelope.created_at).await?;
        }
        let revision = self.write(&commit).await?;
        let envelope = self.envelope(&commit).await?;
        let rest =
            Rest { outbox: commit.outbox, consumed: commit.consumed, provider_ids: commit.provider_ids };
        self.record_rest(&StoredCascade { envelope, state, revision }, rest).await?;
        Ok(revision)
    }

    async fn scan_all(&self) -> Result<Vec<OpenCascade>, StoreError> {
        let scans = self.buckets.iter().map(|bucket| live::scan(&self.client, bucket, None));
        let mut open: Vec<_> = try_join_all(scans).await?.into_iter().flatten().collect();
        open.sort_unstable_by_key(|open| open.id);
        Ok(open)
    }
}

#[async_trait]
impl CascadeStore for NatsCascadeStore {
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError> {
        if commit.expected.is_some() {
            return self.commit_all(commit).await;
        }
        if commit.envelope.is_none() {
            return Err(damaged("envelope", commit.id));
        }
        let creation = self.creations.begin().await;
        let created = self.commit_all(commit).await;
        creation.ended(&created);
        created
    }

    /// Also records the rest of the newest commit, in case that was cut short.
    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError> {
        let Some(found) = self.bucket(id.partition()).get(&keys::key(Kind::State, id)).await? else {
            return Ok(None);
        };
        let (state, rest) = value::decode_state(&found.value).ok_or_else(|| damaged("state", id))?;
        let state = decode(&state).map_err(|_| damaged("state", id))?;
        let Some(envelope) = self.stored_envelope(id).await? else {
            // Let go of in between, or damaged.
            let state = self.bucket(id.partition()).get(&keys::key(Kind::State, id)).await?;
            return if state.is_none() { Ok(None) } else { Err(damaged("envelope", id)) };
        };
        let revision = Revision(found.sequence);
        let stored = StoredCascade { envelope, state, revision };
        self.record_rest(&stored, rest).await?;
        Ok(Some(stored))
    }

    /// Reads every live key of the partition for each page: ask for large pages.
    async fn open(
        &self,
        partition: u8,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError> {
        let open = live::scan(&self.client, self.bucket(partition), Some(partition)).await?;
        Ok(page(&open, after, limit))
    }

    /// The first page scans; further pages are served from that scan, until the next first page.
    async fn open_all(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<OpenCascade>, StoreError> {
        if after.is_none() {
            let open = self.scan_all().await?;
            *self.scanned.lock() = open;
        }
        let mut scanned = self.scanned.lock();
        let found = page(&scanned, after, limit);
        if found.len() < limit {
            *scanned = Vec::new();
        }
        Ok(found)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let stream = self.bucket(0).stream.get_info().await;
        stream.map(drop).map_err(unavailable("answering a ping"))
    }
}

impl fmt::Debug for NatsCascadeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NatsCascadeStore").field("buckets", &self.buckets.len()).finish_non_exhaustive()
    }
}

/// `open` is sorted.
fn page(open: &[OpenCascade], after: Option<MessageId>, limit: usize) -> Vec<OpenCascade> {
    let first = after.map_or(0, |after| open.partition_point(|open| open.id <= after));
    open.iter().skip(first).take(limit).copied().collect()
}

pub(super) fn damaged(what: &str, id: MessageId) -> StoreError {
    StoreError::Damaged { what: format!("{what} of {id}") }
}
