//! Lists and provider ids, merged and unmerged, before and after a restart.

use hermes_backend_embedded::EmbeddedBackend;
use hermes_domain::{AttemptRef, MessageId, message::Mode};
use hermes_ports::{CascadeStore, MessageLog, message_log::MessageQuery};
use hermes_testkit::{Story, connection, envelope, message_id, tenant};

use crate::open;

async fn listed(backend: &EmbeddedBackend, tag: Option<&str>) -> Vec<MessageId> {
    let query = MessageQuery {
        tenant: tenant(1),
        mode: Mode::Live,
        statuses: Vec::new(),
        channel: None,
        tag: tag.map(Into::into),
        to: None,
        created_after: None,
        created_before: None,
        before: None,
        limit: 250,
    };
    let found = backend.list(query).await.unwrap();
    found.iter().map(|stored| stored.envelope.id).collect()
}

async fn created(backend: &EmbeddedBackend, tag: &str) -> MessageId {
    let story = Story::of(&envelope().tag(tag).build());
    backend.commit(story.create()).await.unwrap();
    story.envelope().id
}

#[tokio::test]
async fn merged_and_unmerged_messages_make_one_list() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let mut expected = Vec::new();
    for round in 0..4 {
        for _ in 0..5 {
            expected.insert(0, created(&backend, "order").await);
        }
        assert_eq!(listed(&backend, None).await, expected, "before merge {round}");
        backend.merge_terms().await.unwrap();
        assert_eq!(listed(&backend, Some("order")).await, expected, "after merge {round}");
    }
    backend.close().await;
}

#[tokio::test]
async fn a_message_committed_out_of_order_after_a_merge_is_listed_after_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let minted_early = message_id(3);
    let merged = created(&backend, "order").await;
    backend.merge_terms().await.unwrap();
    let late = Story::of(&envelope().id(minted_early).tag("order").build());
    backend.commit(late.create()).await.unwrap();
    let unmerged = created(&backend, "order").await;
    drop(backend); // Like a crash, as far as the index is concerned: nothing is merged.
    let backend = open(directory.path()).await;
    assert_eq!(listed(&backend, Some("order")).await, [unmerged, merged, minted_early]);
    backend.close().await;
}

#[tokio::test]
async fn a_provider_id_recorded_long_after_acceptance_survives_a_crash() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let story = Story::of(&envelope().build());
    let first = backend.commit(story.create()).await.unwrap();
    created(&backend, "order").await;
    backend.merge_terms().await.unwrap();
    let story = story.accepted_as("SM1");
    let second = backend.commit(story.replace(first)).await.unwrap();
    backend.commit(story.clone().delivered().replace(second)).await.unwrap();
    drop(backend);
    let backend = open(directory.path()).await;
    let attempt = AttemptRef { message: story.envelope().id, attempt: 1 };
    assert_eq!(backend.find_by_provider_id(connection(1), "SM1").await.unwrap(), Some(attempt));
    backend.merge_terms().await.unwrap();
    assert_eq!(backend.find_by_provider_id(connection(1), "SM1").await.unwrap(), Some(attempt));
    backend.close().await;
}
