//! What every inbox of parked receipts does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! receipt_inbox_contract {
    ($make:path) => {
        $crate::behaviours!($make, receipt_inbox:
            the_same_receipt_is_kept_once,
            orphans_are_found_by_their_key_oldest_first,
            only_orphans_wait_for_a_key,
            a_kind_is_listed_in_pages,
            a_removed_receipt_is_gone,
            old_receipts_are_forgotten,
            a_full_buffer_refuses_one_kind_of_one_connection,
        );
    };
}

use futures::future::join_all;
use hermes_domain::ConnectionId;
use hermes_ports::{
    StoreError,
    receipt_inbox::{PARKED_MAX, Parked, ParkedId, ParkedKind},
};
use hermes_testkit::{START, connection};

use crate::Ports;

fn receipt(kind: ParkedKind, connection: ConnectionId, key: &str, body: &str) -> Parked {
    Parked { kind, connection, key: key.into(), body: body.to_owned().into(), received_at: START }
}

fn orphan(key: &str, body: &str) -> Parked {
    receipt(ParkedKind::Orphan, connection(1), key, body)
}

async fn park(ports: &Ports, receipt: Parked) -> ParkedId {
    ports.parked.park(receipt).await.unwrap()
}

/// Providers repeat themselves.
pub async fn the_same_receipt_is_kept_once(ports: &Ports) {
    let first = park(ports, orphan("SM1", "a")).await;
    let later = Parked { received_at: START.plus_s(9), ..orphan("SM1", "a") };
    assert_eq!(park(ports, later).await, first);
    assert_ne!(park(ports, orphan("SM1", "b")).await, first);
    assert_eq!(ports.parked.list(ParkedKind::Orphan, None, 9).await.unwrap().len(), 2);
}

/// They apply in the order they came.
pub async fn orphans_are_found_by_their_key_oldest_first(ports: &Ports) {
    let first = park(ports, orphan("SM1", "a")).await;
    park(ports, orphan("SM2", "a")).await;
    let second = park(ports, orphan("SM1", "b")).await;
    let found = ports.parked.waiting_for(connection(1), "SM1").await.unwrap();
    assert_eq!(found, [(first, orphan("SM1", "a")), (second, orphan("SM1", "b"))]);
    assert_eq!(ports.parked.waiting_for(connection(2), "SM1").await.unwrap(), []);
}

/// What is quarantined is never applied.
pub async fn only_orphans_wait_for_a_key(ports: &Ports) {
    park(ports, receipt(ParkedKind::Quarantined, connection(1), "SM1", "a")).await;
    park(ports, receipt(ParkedKind::Unverified, connection(1), "SM1", "a")).await;
    assert_eq!(ports.parked.waiting_for(connection(1), "SM1").await.unwrap(), []);
}

/// Oldest first, each once.
pub async fn a_kind_is_listed_in_pages(ports: &Ports) {
    let mut expected = Vec::new();
    for number in 0..5 {
        let raw = receipt(ParkedKind::Unverified, connection(number), "", "raw");
        expected.push((park(ports, raw.clone()).await, raw));
        park(ports, orphan("SM1", &number.to_string())).await;
    }
    let first = ports.parked.list(ParkedKind::Unverified, None, 2).await.unwrap();
    assert_eq!(first, expected[..2]);
    let rest = ports.parked.list(ParkedKind::Unverified, Some(first[1].0), 9).await.unwrap();
    assert_eq!(rest, expected[2..]);
}

/// Removing it again is no error.
pub async fn a_removed_receipt_is_gone(ports: &Ports) {
    let parked = park(ports, orphan("SM1", "a")).await;
    ports.parked.remove(parked).await.unwrap();
    ports.parked.remove(parked).await.unwrap();
    assert_eq!(ports.parked.waiting_for(connection(1), "SM1").await.unwrap(), []);
    assert_ne!(park(ports, orphan("SM1", "a")).await, parked, "an id is never used again");
}

/// Age is counted from arrival.
pub async fn old_receipts_are_forgotten(ports: &Ports) {
    park(ports, orphan("SM1", "a")).await;
    let young = Parked { received_at: START.plus_s(1), ..orphan("SM2", "a") };
    let kept = park(ports, young.clone()).await;
    assert_eq!(ports.parked.prune(START.plus_s(1)).await.unwrap(), 1);
    assert_eq!(ports.parked.list(ParkedKind::Orphan, None, 9).await.unwrap(), [(kept, young)]);
}

/// One connection cannot fill the disk, nor the buffers of others.
pub async fn a_full_buffer_refuses_one_kind_of_one_connection(ports: &Ports) {
    let parked =
        join_all((0..PARKED_MAX).map(|number| ports.parked.park(orphan("SM1", &number.to_string())))).await;
    assert!(parked.iter().all(Result::is_ok));
    let full = ports.parked.park(orphan("SM1", "one more")).await;
    assert!(matches!(full, Err(StoreError::Full)), "{full:?}");
    assert_eq!(park(ports, orphan("SM1", "7")).await, *parked[7].as_ref().unwrap());
    park(ports, receipt(ParkedKind::Unverified, connection(1), "SM1", "one more")).await;
    park(ports, receipt(ParkedKind::Orphan, connection(2), "SM1", "one more")).await;
    ports.parked.remove(*parked[7].as_ref().unwrap()).await.unwrap();
    park(ports, orphan("SM1", "one more")).await;
}
