//! A commit that was cut short after its state is completed by the next load.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use hermes_backend_cluster::{CommitRest, CompanionRest, RestOfCommit};
use hermes_domain::{EndpointId, UnixMillis};
use hermes_ports::{
    CascadeStore, Outbox, StoreError, cascade_store::Commit, idempotency::Claim, outbox::OutboxEntry,
};
use hermes_testkit::{MemoryBackend, START, Story, envelope, nats};

use crate::{open, options};

/// Fails to record while it is away.
#[derive(Debug)]
struct Interrupted {
    inner: CompanionRest,
    away: AtomicBool,
}

#[async_trait]
impl CommitRest for Interrupted {
    async fn claim(&self, claim: &Claim, now: UnixMillis) -> Result<(), StoreError> {
        self.inner.claim(claim, now).await
    }

    async fn record(&self, rest: RestOfCommit) -> Result<(), StoreError> {
        if self.away.load(Ordering::Relaxed) {
            return Err(StoreError::Unavailable { attempted: "recording", cause: "away".into() });
        }
        self.inner.record(rest).await
    }
}

#[tokio::test]
async fn the_rest_of_a_commit_is_recorded_by_the_next_load() {
    let (server, companion) = (nats::server(), MemoryBackend::new());
    let inner = CompanionRest::new(companion.clone(), companion.clone());
    let rest = Arc::new(Interrupted { inner, away: AtomicBool::new(true) });
    let (options, endpoint) = (options(), EndpointId::new(START, 1));
    let store = open(server.url(), options.clone(), rest.clone()).await;
    let story = Story::of(&envelope().build());
    let id = story.envelope().id;
    let entry = OutboxEntry {
        endpoint,
        event: id.event_id(1),
        message: Some(id),
        event_type: "message.accepted",
        body: "{}".into(),
        created_at: START,
    };
    let cut_short = store.commit(Commit { outbox: vec![entry], ..story.create() }).await;
    assert!(matches!(cut_short, Err(StoreError::Unavailable { .. })), "{cut_short:?}");
    assert_eq!(companion.pending(endpoint, 9).await.unwrap(), []);

    // As after a restart: another store over the same buckets.
    rest.away.store(false, Ordering::Relaxed);
    let store = open(server.url(), options, rest).await;
    let stored = store.load(id).await.unwrap().unwrap();
    assert_eq!(stored.state, *story.state());
    assert_eq!(companion.pending(endpoint, 9).await.unwrap().len(), 1);
    store.load(id).await.unwrap();
    assert_eq!(companion.pending(endpoint, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_over_the_same_buckets_finds_everything() {
    let (server, companion) = (nats::server(), MemoryBackend::new());
    let rest = || Arc::new(CompanionRest::new(companion.clone(), companion.clone()));
    let options = options();
    let store = open(server.url(), options.clone(), rest()).await;
    let story = Story::of(&envelope().build());
    let revision = store.commit(story.create()).await.unwrap();
    drop(store);
    let store = open(server.url(), options, rest()).await;
    let stored = store.load(story.envelope().id).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.revision), (story.state().clone(), revision));
    assert_eq!(store.open_all(None, 9).await.unwrap().len(), 1);
}
