//! A commit that was cut short after its state is completed by the next load.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;
use hermes_backend_cluster::{CommitRest, NatsRetention, RestOfCommit};
use hermes_domain::{EndpointId, MessageId, UnixMillis};
use hermes_ports::{
    CascadeStore, Outbox, Retain as _, StoreError, cascade_store::Commit, idempotency::Claim,
    outbox::OutboxEntry,
};
use hermes_testkit::{START, Story, envelope, nats};

use crate::{Stores, open, options, rest_of};

/// Fails to record while it is away.
#[derive(Debug)]
struct Interrupted {
    inner: Arc<dyn CommitRest>,
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

    async fn is_recorded(&self, id: MessageId) -> Result<bool, StoreError> {
        self.inner.is_recorded(id).await
    }
}

#[tokio::test]
async fn the_rest_of_a_commit_is_recorded_by_the_next_load() {
    let (server, options) = (nats::server(), options());
    let Stores { companion, .. } = &Stores::fresh(server.url(), options.clone()).await;
    let rest = Arc::new(Interrupted { inner: rest_of(companion), away: AtomicBool::new(true) });
    let endpoint = EndpointId::new(START, 1);
    let store = open(server.url(), options.clone(), rest.clone(), companion).await;
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
    let store = open(server.url(), options, rest, companion).await;
    let stored = store.load(id).await.unwrap().unwrap();
    assert_eq!(stored.state, *story.state());
    assert_eq!(companion.pending(endpoint, 9).await.unwrap().len(), 1);
    store.load(id).await.unwrap();
    assert_eq!(companion.pending(endpoint, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_store_over_the_same_buckets_finds_everything() {
    let (server, options) = (nats::server(), options());
    let stores = Stores::fresh(server.url(), options.clone()).await;
    let story = Story::of(&envelope().build());
    let revision = stores.cascades.commit(story.create()).await.unwrap();
    let stores = stores.again(server.url(), options).await;
    let store = &stores.cascades;
    let stored = store.load(story.envelope().id).await.unwrap().unwrap();
    assert_eq!((stored.state, stored.revision), (story.state().clone(), revision));
    assert!(stored.envelope == *story.envelope());
    assert_eq!(store.open_all(None, 9).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_without_a_row_is_recorded_before_keys_are_dropped_or_destroyed() {
    let (server, options) = (nats::server(), options());
    let Stores { companion, .. } = &Stores::fresh(server.url(), options.clone()).await;
    let rest = Arc::new(Interrupted { inner: rest_of(companion), away: AtomicBool::new(true) });
    let store = open(server.url(), options, rest.clone(), companion).await;
    let retention = NatsRetention::new(store.clone(), companion.clone());
    let story = Story::of(&envelope().build());
    rest.away.store(false, Ordering::Relaxed);
    retention.drop_keys().await.unwrap(); // What a start may have left out is on record.
    rest.away.store(true, Ordering::Relaxed);
    store.commit(story.create()).await.unwrap_err();
    retention.drop_keys().await.unwrap_err();
    rest.away.store(false, Ordering::Relaxed);
    for _ in 0..2 {
        assert_eq!(retention.drop_keys().await.unwrap(), 0);
    }
    assert!(companion.load(story.envelope().id).await.unwrap().is_some());
    assert!(store.load(story.envelope().id).await.unwrap().unwrap().envelope == *story.envelope());
}
