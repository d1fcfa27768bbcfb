//! `[store]`: which backend, and how to reach it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::reader::Reader;
use crate::secret::Secret;

/// Copies of a write that survive the loss of one server.
const REPLICAS_SAFE: usize = 3;

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Which backend.
    pub kind: StoreKind,
    /// The embedded store's directory.
    pub data_dir: PathBuf,
    /// How long a commit waits for others; zero means not at all.
    pub commit_window: Duration,
    /// Start although acknowledged writes may be lost.
    pub allow_unsafe_durability: bool,
    /// Set for the cluster backend.
    pub nats: Nats,
}

/// Which backend keeps the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// SQLite in this process.
    Embedded,
    /// Cascades in NATS JetStream, the rest in SQLite beside them.
    Nats,
}

/// How to reach and use NATS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Nats {
    /// One URL, or several separated by commas. Secret, since it may hold a password.
    pub url: Option<Secret>,
    /// Buckets that the partitions are spread over.
    pub buckets: NonZeroUsize,
    /// Copies of every write.
    pub replicas: usize,
}

impl Store {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let kinds = [("embedded", StoreKind::Embedded), ("nats", StoreKind::Nats)];
        let store = Self {
            kind: reader.choice("store.kind", &kinds),
            data_dir: reader.text("store.data_dir").into(),
            commit_window: reader.millis("store.commit_window_ms", 0..=1_000),
            allow_unsafe_durability: reader.boolean("store.allow_unsafe_durability"),
            nats: Nats {
                url: reader.secret("store.nats.url"),
                buckets: reader.count("store.nats.buckets", 256),
                replicas: reader.integer("store.nats.replicas", 1..=5),
            },
        };
        if store.kind == StoreKind::Nats {
            store.check_nats(reader);
        }
        store
    }

    fn check_nats(&self, reader: &mut Reader) {
        match &self.nats.url {
            None => reader.problem("store.nats.url", "must be set when store.kind is \"nats\""),
            Some(url) if !["nats://", "tls://"].iter().any(|scheme| url.expose().starts_with(scheme)) => {
                reader.problem("store.nats.url", "expected a URL that starts with nats://");
            }
            Some(_) => {}
        }
        if self.nats.replicas < REPLICAS_SAFE && !self.allow_unsafe_durability {
            let problem = format!(
                "fewer than {REPLICAS_SAFE} copies can lose acknowledged messages with one server; set \
                 store.allow_unsafe_durability to start all the same"
            );
            reader.problem("store.nats.replicas", problem);
        }
    }
}
