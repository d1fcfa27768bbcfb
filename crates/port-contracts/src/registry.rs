//! What every registry does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! registry_contract {
    ($make:path) => {
        $crate::behaviours!($make, registry:
            a_record_comes_back_as_it_was_put,
            versions_grow_and_guard_against_lost_updates,
            a_record_that_must_be_new_is_refused_when_it_is_not,
            records_of_a_kind_come_sorted_by_id,
            a_deleted_record_is_gone_and_may_be_new_again,
            of_parallel_changes_exactly_one_wins,
            a_large_body_survives,
        );
    };
}

use bytes::Bytes;
use futures::future::join_all;
use hermes_ports::{
    StoreError,
    registry::{Record, RecordKind},
};

use crate::Ports;

fn record(kind: RecordKind, id: &str, body: &'static str) -> Record {
    let secret = Some(Bytes::from_static(b"\x00\xffsealed"));
    Record { kind, id: id.into(), body: Bytes::from_static(body.as_bytes()), secret, version: 0 }
}

fn tenant(id: &str, body: &'static str) -> Record {
    record(RecordKind::Tenant, id, body)
}

/// Bytes are bytes.
pub async fn a_record_comes_back_as_it_was_put(ports: &Ports) {
    let version = ports.registry.put(tenant("a", "1"), Some(0)).await.unwrap();
    assert_eq!(version, 1);
    let found = ports.registry.get(RecordKind::Tenant, "a").await.unwrap();
    assert_eq!(found, Some(Record { version: 1, ..tenant("a", "1") }));
    assert_eq!(ports.registry.get(RecordKind::Tenant, "b").await.unwrap(), None);
    assert_eq!(ports.registry.get(RecordKind::ApiKey, "a").await.unwrap(), None);
}

/// Who has read an old version is told.
pub async fn versions_grow_and_guard_against_lost_updates(ports: &Ports) {
    ports.registry.put(tenant("a", "1"), None).await.unwrap();
    assert_eq!(ports.registry.put(tenant("a", "2"), Some(1)).await.unwrap(), 2);
    let stale = ports.registry.put(tenant("a", "3"), Some(1)).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    assert_eq!(ports.registry.put(tenant("a", "4"), None).await.unwrap(), 3);
    let missing = ports.registry.put(tenant("b", "1"), Some(1)).await;
    assert!(matches!(missing, Err(StoreError::Conflict)), "{missing:?}");
    let found = ports.registry.get(RecordKind::Tenant, "a").await.unwrap();
    assert_eq!(found, Some(Record { version: 3, ..tenant("a", "4") }));
}

/// Names are given once.
pub async fn a_record_that_must_be_new_is_refused_when_it_is_not(ports: &Ports) {
    ports.registry.put(tenant("a", "1"), Some(0)).await.unwrap();
    let again = ports.registry.put(tenant("a", "2"), Some(0)).await;
    assert!(matches!(again, Err(StoreError::Conflict)), "{again:?}");
}

/// Kinds do not mix.
pub async fn records_of_a_kind_come_sorted_by_id(ports: &Ports) {
    for id in ["b", "c", "a"] {
        ports.registry.put(tenant(id, "{}"), None).await.unwrap();
        ports.registry.put(record(RecordKind::Endpoint, id, "{}"), None).await.unwrap();
    }
    let found = ports.registry.all(RecordKind::Tenant).await.unwrap();
    let expected = ["a", "b", "c"].map(|id| Record { version: 1, ..tenant(id, "{}") });
    assert_eq!(found, expected);
    assert_eq!(ports.registry.all(RecordKind::Meta).await.unwrap(), []);
}

/// A second deletion finds nothing.
pub async fn a_deleted_record_is_gone_and_may_be_new_again(ports: &Ports) {
    ports.registry.put(tenant("a", "1"), None).await.unwrap();
    assert!(ports.registry.delete(RecordKind::Tenant, "a").await.unwrap());
    assert!(!ports.registry.delete(RecordKind::Tenant, "a").await.unwrap());
    assert_eq!(ports.registry.get(RecordKind::Tenant, "a").await.unwrap(), None);
    ports.registry.put(tenant("a", "2"), Some(0)).await.unwrap();
}

/// Two operators change one thing.
pub async fn of_parallel_changes_exactly_one_wins(ports: &Ports) {
    ports.registry.put(tenant("a", "1"), None).await.unwrap();
    let results = join_all((0..20).map(|_| ports.registry.put(tenant("a", "2"), Some(1)))).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}

/// Adapter components are some hundred kilobytes.
pub async fn a_large_body_survives(ports: &Ports) {
    let body: Vec<u8> = (0..600_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let component = Record {
        kind: RecordKind::AdapterComponent,
        id: "twilio@1".into(),
        body: body.into(),
        secret: None,
        version: 0,
    };
    ports.registry.put(component.clone(), Some(0)).await.unwrap();
    let found = ports.registry.get(RecordKind::AdapterComponent, "twilio@1").await.unwrap();
    assert!(found == Some(Record { version: 1, ..component }), "the component changed");
}
