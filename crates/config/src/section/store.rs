//! `[store]`: which backend, and how to reach it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::reader::Reader;
use crate::secret::Secret;

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
    /// PostgreSQL's URL; set for the cluster backend.
    pub postgres_url: Option<Secret>,
    /// Redis' URL; set for the cluster backend.
    pub redis_url: Option<Secret>,
}

/// Which backend keeps the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// SQLite in this process.
    Embedded,
    /// NATS JetStream, with PostgreSQL and Redis.
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
            postgres_url: reader.secret("store.postgres.url"),
            redis_url: reader.secret("store.redis.url"),
        };
        store.check_urls(reader);
        store
    }

    fn check_urls(&self, reader: &mut Reader) {
        let urls = [
            ("store.nats.url", &self.nats.url, &["nats://", "tls://"]),
            ("store.postgres.url", &self.postgres_url, &["postgres://", "postgresql://"]),
            ("store.redis.url", &self.redis_url, &["redis://", "rediss://"]),
        ];
        for (key, url, schemes) in urls {
            match url {
                // PostgreSQL and Redis take over their ports later; until then nothing needs them.
                None if self.kind == StoreKind::Nats && key == "store.nats.url" => {
                    reader.problem(key, "must be set when store.kind is \"nats\"");
                }
                Some(url) if !schemes.iter().any(|scheme| url.expose().starts_with(scheme)) => {
                    reader.problem(key, format!("expected a URL that starts with {}", schemes[0]));
                }
                None | Some(_) => {}
            }
        }
    }
}
