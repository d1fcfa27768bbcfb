//! What belongs to a commit beside the state: it becomes durable with it, or not at all.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! commit_parts_contract {
    ($make:path) => {
        $crate::behaviours!($make, commit_parts:
            a_claim_is_found_once_its_message_is_committed,
            a_taken_claim_writes_nothing,
            a_conflict_takes_no_claim,
            a_claim_does_not_stand_in_its_own_messages_way,
            an_expired_claim_does_not_count,
            webhooks_are_owed_once_committed,
            a_conflict_owes_no_webhook,
            a_consumed_receipt_is_gone_with_the_commit,
            a_conflict_keeps_the_receipt,
        );
    };
}

use hermes_domain::{EndpointId, MessageId, UnixMillis};
use hermes_ports::{
    StoreError,
    cascade_store::{Commit, Revision},
    idempotency::{Claim, ClaimResult},
    outbox::{DeliveryStatus, OutboxEntry},
    receipt_inbox::{Parked, ParkedKind},
};
use hermes_testkit::{START, Story, connection, envelope};

use crate::Ports;

fn claim(story: &Story, key: &str) -> Claim {
    Claim {
        tenant: story.envelope().tenant,
        mode: story.envelope().mode,
        key: key.into(),
        fingerprint: [7; 32],
        result: ClaimResult::Message(story.envelope().id),
        expires_at: START.plus_s(86_400),
    }
}

fn claiming(story: &Story, key: &str) -> Commit {
    Commit { claim: Some(claim(story, key)), ..story.create() }
}

async fn found(ports: &Ports, claim: &Claim, now: UnixMillis) -> Option<Claim> {
    ports.claims.find(claim.tenant, claim.mode, &claim.key, now).await.unwrap()
}

fn entry(id: MessageId) -> OutboxEntry {
    OutboxEntry {
        endpoint: EndpointId::new(START, 1),
        event: id.event_id(4),
        message: Some(id),
        event_type: "message.delivered",
        body: r#"{"type":"message.delivered"}"#.into(),
        created_at: START.plus_s(2),
    }
}

fn orphan() -> Parked {
    Parked {
        kind: ParkedKind::Orphan,
        connection: connection(1),
        key: "SM1".into(),
        body: "{}".into(),
        received_at: START,
    }
}

/// A retried request finds what the first one made.
pub async fn a_claim_is_found_once_its_message_is_committed(ports: &Ports) {
    let story = Story::of(&envelope().build());
    assert_eq!(found(ports, &claim(&story, "k"), START).await, None);
    ports.cascades.commit(claiming(&story, "k")).await.unwrap();
    assert_eq!(found(ports, &claim(&story, "k"), START).await, Some(claim(&story, "k")));
}

/// Two requests with one key make one message.
pub async fn a_taken_claim_writes_nothing(ports: &Ports) {
    let (first, second) = (Story::of(&envelope().build()), Story::of(&envelope().build()));
    ports.cascades.commit(claiming(&first, "k")).await.unwrap();
    let taken = ports.cascades.commit(claiming(&second, "k")).await;
    assert!(matches!(taken, Err(StoreError::ClaimTaken)), "{taken:?}");
    assert!(ports.cascades.load(second.envelope().id).await.unwrap().is_none());
    assert_eq!(found(ports, &claim(&second, "k"), START).await, Some(claim(&first, "k")));
    assert_eq!(ports.cascades.open_all(None, 9).await.unwrap().len(), 1);
}

/// A creation that loses leaves its key to others.
pub async fn a_conflict_takes_no_claim(ports: &Ports) {
    let story = Story::of(&envelope().build());
    ports.cascades.commit(story.create()).await.unwrap();
    let conflict = ports.cascades.commit(claiming(&story, "k")).await;
    assert!(matches!(conflict, Err(StoreError::Conflict)), "{conflict:?}");
    let other = Story::of(&envelope().build());
    ports.cascades.commit(claiming(&other, "k")).await.unwrap();
    assert_eq!(found(ports, &claim(&story, "k"), START).await, Some(claim(&other, "k")));
}

/// Repeating a creation whose answer got lost says that the message exists, not that its key is taken.
pub async fn a_claim_does_not_stand_in_its_own_messages_way(ports: &Ports) {
    let story = Story::of(&envelope().build());
    ports.cascades.commit(claiming(&story, "k")).await.unwrap();
    let again = ports.cascades.commit(claiming(&story, "k")).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
}

/// Expiry is judged at the new message's creation.
pub async fn an_expired_claim_does_not_count(ports: &Ports) {
    let first = Story::of(&envelope().build());
    ports.cascades.commit(claiming(&first, "k")).await.unwrap();
    let later = START.plus_s(86_400);
    assert_eq!(found(ports, &claim(&first, "k"), later).await, None);
    let second = Story::of(&envelope().created_at(later).build());
    let renewed = Claim { expires_at: later.plus_s(9), ..claim(&second, "k") };
    ports.cascades.commit(Commit { claim: Some(renewed.clone()), ..second.create() }).await.unwrap();
    assert_eq!(found(ports, &renewed, later).await, Some(renewed));
}

/// A webhook is owed exactly when its decision is stored.
pub async fn webhooks_are_owed_once_committed(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let entry = entry(story.envelope().id);
    let commit = Commit { outbox: vec![entry.clone()], ..story.create() };
    let first = ports.cascades.commit(commit).await.unwrap();
    let again = Commit { outbox: vec![entry.clone()], ..story.submitting().replace(first) };
    ports.cascades.commit(again).await.unwrap();
    let owed = ports.outbox.pending(entry.endpoint, 9).await.unwrap();
    assert_eq!(owed.len(), 1, "the same event is owed once: {owed:?}");
    let delivery = &owed[0];
    assert_eq!((delivery.event, delivery.message), (entry.event, entry.message));
    assert_eq!((&*delivery.event_type, &delivery.body), (entry.event_type, &entry.body));
    assert_eq!((delivery.status, delivery.attempts), (DeliveryStatus::Pending, 0));
    assert_eq!((delivery.created_at, delivery.next_at), (entry.created_at, entry.created_at));
}

/// What was not decided is not told.
pub async fn a_conflict_owes_no_webhook(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let entry = entry(story.envelope().id);
    let endpoint = entry.endpoint;
    let commit = Commit { outbox: vec![entry], ..story.replace(Revision(4)) };
    assert!(ports.cascades.commit(commit).await.is_err());
    assert_eq!(ports.outbox.pending(endpoint, 9).await.unwrap(), []);
}

/// A receipt is used up by the decision it caused.
pub async fn a_consumed_receipt_is_gone_with_the_commit(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let parked = ports.parked.park(orphan()).await.unwrap();
    ports.cascades.commit(Commit { consumed: Some(parked), ..story.create() }).await.unwrap();
    assert_eq!(ports.parked.waiting_for(connection(1), "SM1").await.unwrap(), []);
}

/// A receipt whose decision was not stored is offered again.
pub async fn a_conflict_keeps_the_receipt(ports: &Ports) {
    let story = Story::of(&envelope().build());
    let parked = ports.parked.park(orphan()).await.unwrap();
    let commit = Commit { consumed: Some(parked), ..story.replace(Revision(4)) };
    assert!(ports.cascades.commit(commit).await.is_err());
    assert_eq!(ports.parked.waiting_for(connection(1), "SM1").await.unwrap(), [(parked, orphan())]);
}
