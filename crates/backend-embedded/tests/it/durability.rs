//! Everything is still there after closing, and after dropping without closing.

use bytes::Bytes;
use hermes_domain::EndpointId;
use hermes_ports::{
    CascadeStore, Idempotency, Outbox, ReceiptInbox, Registry, StoreError,
    cascade_store::Commit,
    idempotency::{Claim, ClaimResult},
    outbox::OutboxEntry,
    receipt_inbox::{Parked, ParkedKind},
    registry::{Record, RecordKind},
};
use hermes_testkit::{START, Story, connection, envelope};

use crate::open;

fn full_commit(story: &Story) -> Commit {
    let id = story.envelope().id;
    let claim = Claim {
        tenant: story.envelope().tenant,
        mode: story.envelope().mode,
        key: "k".into(),
        fingerprint: [1; 32],
        result: ClaimResult::Message(id),
        expires_at: START.plus_s(9),
    };
    let entry = OutboxEntry {
        endpoint: EndpointId::new(START, 1),
        event: id.event_id(1),
        message: Some(id),
        event_type: "message.accepted",
        body: "{}".into(),
        created_at: START,
    };
    Commit { claim: Some(claim), outbox: vec![entry], ..story.create() }
}

#[tokio::test]
async fn every_port_finds_its_own_after_a_restart() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let story = Story::of(&envelope().build());
    let commit = full_commit(&story);
    backend.commit(commit.clone()).await.unwrap();
    let receipt = Parked {
        kind: ParkedKind::Orphan,
        connection: connection(1),
        key: "SM1".into(),
        body: Bytes::from_static(b"{}"),
        received_at: START,
    };
    let parked = backend.park(receipt.clone()).await.unwrap();
    let (kind, id) = (RecordKind::Tenant, "a".to_owned());
    let record = Record { kind, id, body: Bytes::from_static(b"1"), secret: None, version: 1 };
    backend.put(record.clone(), Some(0)).await.unwrap();
    backend.close().await;

    let backend = open(directory.path()).await;
    let claim = commit.claim.unwrap();
    assert_eq!(backend.find(claim.tenant, claim.mode, "k", START).await.unwrap(), Some(claim));
    assert_eq!(backend.pending(commit.outbox[0].endpoint, 9).await.unwrap().len(), 1);
    assert_eq!(backend.waiting_for(connection(1), "SM1").await.unwrap(), [(parked, receipt)]);
    assert_eq!(backend.all(RecordKind::Tenant).await.unwrap(), [record]);
    assert_eq!(backend.load(story.envelope().id).await.unwrap().unwrap().state, *story.state());
    backend.close().await;
}

#[tokio::test]
async fn a_dropped_backend_has_written_what_it_was_handed() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    let story = Story::of(&envelope().build());
    backend.commit(story.create()).await.unwrap();
    drop(backend);
    let backend = open(directory.path()).await;
    assert!(backend.load(story.envelope().id).await.unwrap().is_some());
    backend.close().await;
}

#[tokio::test]
async fn a_closed_backend_leaves_no_log_behind_and_refuses_work() {
    let directory = tempfile::tempdir().unwrap();
    let backend = open(directory.path()).await;
    backend.commit(Story::of(&envelope().build()).create()).await.unwrap();
    backend.close().await;
    let log = std::fs::metadata(directory.path().join("hermes.db-wal"));
    assert_eq!(log.map_or(0, |log| log.len()), 0);
    let late = backend.commit(Story::of(&envelope().build()).create()).await;
    assert!(matches!(late, Err(StoreError::Unavailable { .. })), "{late:?}");
    assert!(backend.ping().await.is_err());
    backend.close().await;
}
