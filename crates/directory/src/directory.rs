//! The directory itself: the snapshot, the registry behind it, and how the two stay equal.

use std::{fmt, sync::Arc};

use arc_swap::ArcSwap;
use hermes_ports::{
    Registry,
    registry::{Record, RecordKind},
};
use hmac::Hmac;
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use tokio::sync::{Mutex, watch};

use hermes_sealing::Cipher;

use crate::{
    ack_token::{AckTokens, keyed},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

/// Keys of our own. `Debug` hides them.
#[derive(Clone)]
pub struct DirectoryKeys {
    /// Keys the hashes under which API keys are stored, and acknowledgement tokens.
    pub hash_key: [u8; 32],
    /// Encrypts credentials and signing secrets at rest.
    pub credentials_key: [u8; 32],
    /// The key before it, while something may still be encrypted under it.
    pub previous_credentials_key: Option<[u8; 32]>,
}

impl fmt::Debug for DirectoryKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DirectoryKeys(…)")
    }
}

/// A typed, cached view of the registry.
#[derive(Debug)]
pub struct Directory {
    pub(crate) registry: Arc<dyn Registry>,
    pub(crate) cipher: Cipher,
    pub(crate) key_hasher: KeyHasher,
    ack_tokens: AckTokens,
    snapshot: ArcSwap<Snapshot>,
    /// Held from the write to the swap, so that snapshots follow each other in registry order.
    writing: Mutex<()>,
    generation: watch::Sender<u64>,
}

/// HMAC with its key already mixed in.
pub(crate) struct KeyHasher(Hmac<Sha256>);

impl KeyHasher {
    pub(crate) fn start(&self) -> Hmac<Sha256> {
        self.0.clone()
    }
}

impl fmt::Debug for KeyHasher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyHasher(…)")
    }
}

impl Directory {
    /// Reads everything from the registry.
    ///
    /// # Errors
    /// `Damaged` or `Secret` when a record cannot be read (such as another credentials key than the
    /// one it was written under); `Store`.
    pub async fn open(registry: Arc<dyn Registry>, keys: DirectoryKeys) -> Result<Arc<Self>, DirectoryError> {
        let directory = Self {
            registry,
            cipher: Cipher::new(&keys.credentials_key, keys.previous_credentials_key.as_ref()),
            key_hasher: KeyHasher(keyed(&keys.hash_key)),
            ack_tokens: AckTokens::new(&keys.hash_key),
            snapshot: ArcSwap::from_pointee(Snapshot::default()),
            writing: Mutex::new(()),
            generation: watch::Sender::new(0),
        };
        directory.reload().await?;
        Ok(Arc::new(directory))
    }

    /// Reads everything again: another process has changed the registry.
    ///
    /// # Errors
    /// As [`Self::open`]; the old snapshot stays.
    pub async fn reload(&self) -> Result<(), DirectoryError> {
        let _writing = self.writing.lock().await;
        let mut next = Snapshot::default();
        self.load_tenants(&mut next).await?;
        self.load_keys(&mut next).await?;
        self.load_connections(&mut next).await?;
        self.load_endpoints(&mut next).await?;
        self.load_routes(&mut next).await?;
        self.load_cascades(&mut next).await?;
        self.load_senders(&mut next).await?;
        self.load_rate_cards(&mut next).await?;
        self.load_quotes(&mut next).await?;
        self.load_templates(&mut next).await?;
        self.swap(next);
        Ok(())
    }

    /// What is known now.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.load_full()
    }

    /// Looks at what is known now, without taking a share in it.
    pub fn read<T>(&self, look: impl FnOnce(&Snapshot) -> T) -> T {
        look(&self.snapshot.load())
    }

    /// A number that grows with every change.
    pub fn subscribe(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Makes and checks acknowledgement tokens.
    pub const fn ack_tokens(&self) -> &AckTokens {
        &self.ack_tokens
    }

    /// Writes a record, then lets `apply` put it into the next snapshot under its new version.
    ///
    /// `check` sees the snapshot that the write follows and may refuse it.
    pub(crate) async fn write(
        &self,
        record: Record,
        expected: Option<u64>,
        check: impl FnOnce(&Snapshot) -> Result<(), DirectoryError> + Send,
        apply: impl FnOnce(&mut Snapshot, u64) + Send,
    ) -> Result<u64, DirectoryError> {
        let _writing = self.writing.lock().await;
        check(&self.snapshot.load())?;
        let version = self.registry.put(record, expected).await?;
        let mut next = Snapshot::clone(&self.snapshot.load());
        apply(&mut next, version);
        self.swap(next);
        Ok(version)
    }

    /// Removes a record; `expected` must be its version, if given.
    pub(crate) async fn erase(
        &self,
        kind: RecordKind,
        id: &str,
        check: impl FnOnce(&Snapshot) -> Result<(), DirectoryError> + Send,
        apply: impl FnOnce(&mut Snapshot) + Send,
    ) -> Result<(), DirectoryError> {
        let _writing = self.writing.lock().await;
        check(&self.snapshot.load())?;
        let existed = self.registry.delete(kind, id).await?;
        let mut next = Snapshot::clone(&self.snapshot.load());
        apply(&mut next);
        self.swap(next);
        if existed { Ok(()) } else { Err(DirectoryError::NotFound) }
    }

    fn swap(&self, next: Snapshot) {
        self.snapshot.store(Arc::new(next));
        self.generation.send_modify(|generation| *generation += 1);
    }
}

/// Refuses unless the record exists and is at the version wanted, if one is.
pub(crate) fn expect_version<T>(
    stored: Option<&Versioned<T>>,
    expected: Option<u64>,
) -> Result<&Versioned<T>, DirectoryError> {
    let stored = stored.ok_or(DirectoryError::NotFound)?;
    if expected.is_some_and(|expected| expected != stored.version) {
        return Err(DirectoryError::Conflict);
    }
    Ok(stored)
}

/// A record whose body is JSON.
pub(crate) fn record(kind: RecordKind, id: String, body: &impl Serialize, secret: Option<Vec<u8>>) -> Record {
    #[expect(clippy::expect_used, reason = "plain structs with text keys: there is no case that fails")]
    let body = serde_json::to_vec(body).expect("plain structs serialise");
    Record { kind, id, body: body.into(), secret: secret.map(Into::into), version: 0 }
}

/// The body of a record.
pub(crate) fn body<T: DeserializeOwned>(record: &Record) -> Result<T, DirectoryError> {
    serde_json::from_slice(&record.body).map_err(|_| damaged(record))
}

pub(crate) fn damaged(record: &Record) -> DirectoryError {
    DirectoryError::Damaged { kind: record.kind.as_str(), id: record.id.clone() }
}
