//! Listing what lives, while deletions of other keys are forgotten.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use hermes_backend_cluster::ClusterOptions;
use hermes_ports::{CascadeStore, cascade_store::Revision};
use hermes_testkit::{Story, envelope, nats};

use crate::{Stores, options};

/// Ended together, so that the server forgets their deletions together.
const ENDED: usize = 2_000;

async fn end(store: Arc<dyn CascadeStore>, story: Story, revision: Revision) {
    store.commit(story.delivered().replace(revision)).await.unwrap();
}

#[tokio::test]
async fn a_scan_ends_although_deletions_are_forgotten_meanwhile() {
    let server = nats::server();
    let options = ClusterOptions { buckets: 1, deletions_for: Duration::from_secs(1), ..options() };
    let stores = Stores::fresh(server.url(), options).await;
    let store = Arc::clone(&stores.cascades);
    let lives = Story::of(&envelope().sms().build());
    store.commit(lives.create()).await.unwrap();

    let mut ends = tokio::task::JoinSet::new();
    for _ in 0..ENDED {
        let story = Story::of(&envelope().sms().build()).accepted_as("SM1");
        let revision = store.commit(story.create()).await.unwrap();
        ends.spawn(end(store.clone(), story, revision));
    }
    ends.join_all().await;
    let until = Instant::now() + Duration::from_secs(3);
    while Instant::now() < until {
        let open = store.open_all(None, 10_000).await.unwrap();
        assert_eq!(open.iter().map(|open| open.id).collect::<Vec<_>>(), [lives.envelope().id]);
    }
}
