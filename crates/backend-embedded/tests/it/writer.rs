//! How writes share transactions.

use std::time::{Duration, Instant};

use futures::future::join_all;
use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_ports::CascadeStore;
use hermes_testkit::{Story, envelope};

#[tokio::test]
async fn a_lone_commit_does_not_wait_for_the_commit_window() {
    let directory = tempfile::tempdir().unwrap();
    let commit_window = Duration::from_secs(60);
    let options = EmbeddedOptions { commit_window, ..EmbeddedOptions::new(directory.path()) };
    let backend = EmbeddedBackend::open(options).await.unwrap();
    let begun = Instant::now();
    for _ in 0..5 {
        backend.commit(Story::of(&envelope().build()).create()).await.unwrap();
    }
    assert!(begun.elapsed() < commit_window);
    backend.close().await;
}

#[tokio::test]
async fn commits_beyond_the_queues_length_wait_and_succeed() {
    let directory = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions { queue_max: 2, batch_max: 3, ..EmbeddedOptions::new(directory.path()) };
    let backend = EmbeddedBackend::open(options).await.unwrap();
    let stories: Vec<_> = (0..100).map(|_| Story::of(&envelope().build())).collect();
    let results = join_all(stories.iter().map(|story| backend.commit(story.create()))).await;
    assert!(results.iter().all(Result::is_ok));
    assert_eq!(backend.open_all(None, 1_000).await.unwrap().len(), 100);
    backend.close().await;
}
