//! What has expired is forgotten, and nothing else.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_domain::{
    BatchId, EndpointId, InboundId, UnixMillis,
    address::Channel,
    batch::{Batch, BatchCounts, BatchItem, BatchState, ItemOutcome},
    message::Mode,
    tenant::TenantScope,
};
use hermes_ports::{
    Batches, CascadeStore, Idempotency, InboundLog, Outbox, ReceiptInbox,
    cascade_store::Commit,
    idempotency::{Claim, StoredReply},
    inbound_log::{InboundEntry, InboundMeaning, InboundQuery},
    outbox::{DeliveryStatus, DeliveryUpdate, OutboxEntry},
    receipt_inbox::{Parked, ParkedKind},
};
use hermes_testkit::{ManualClock, START, Story, connection, envelope, tenant};
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3_600);
const ENDPOINT: EndpointId = EndpointId::new(START, 1);

async fn with_clock() -> (Arc<EmbeddedBackend>, Arc<ManualClock>, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let options = EmbeddedOptions { clock: clock.clone(), ..EmbeddedOptions::new(directory.path()) };
    (EmbeddedBackend::open(options).await.unwrap(), clock, directory)
}

fn claim(key: &str, expires_at: UnixMillis) -> Claim {
    let result = StoredReply { status: 201, body: "{}".into(), location: None, etag: None }.into();
    Claim { tenant: tenant(1), mode: Mode::Live, key: key.into(), fingerprint: [0; 32], result, expires_at }
}

#[tokio::test]
async fn expired_claims_are_forgotten() {
    let (backend, clock, _guard) = with_clock().await;
    for number in 0..700 {
        backend.save(claim(&format!("old{number}"), START.plus_s(60))).await.unwrap();
    }
    backend.save(claim("young", START.plus_s(90_000))).await.unwrap();
    clock.advance(HOUR);
    backend.upkeep().await.unwrap();
    // Asked as of the past, an expired claim would still be found if it were there.
    for number in 0..700 {
        let found = backend.find(tenant(1), Mode::Live, &format!("old{number}"), START).await.unwrap();
        assert_eq!(found, None);
    }
    assert!(backend.find(tenant(1), Mode::Live, "young", START).await.unwrap().is_some());
    backend.close().await;
}

#[tokio::test]
async fn parked_receipts_are_forgotten_after_three_days() {
    let (backend, clock, _guard) = with_clock().await;
    let receipt = |key: &str, received_at| Parked {
        kind: ParkedKind::Orphan,
        connection: connection(1),
        key: key.into(),
        body: Bytes::new(),
        received_at,
    };
    backend.park(receipt("old", START)).await.unwrap();
    backend.park(receipt("young", clock.advance(HOUR))).await.unwrap();
    clock.advance(72 * HOUR - Duration::from_millis(1));
    backend.upkeep().await.unwrap();
    let left = ReceiptInbox::list(&*backend, ParkedKind::Orphan, None, 9).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].1.key, "young");
    backend.close().await;
}

#[tokio::test]
async fn finished_webhooks_are_forgotten_after_seven_days_and_pending_ones_never() {
    let (backend, clock, _guard) = with_clock().await;
    let mut updates = Vec::new();
    for number in 0..4_u16 {
        let story = Story::of(&envelope().build());
        let (endpoint, event) = (ENDPOINT, story.envelope().id.event_id(number));
        let entry = OutboxEntry {
            endpoint,
            event,
            message: Some(story.envelope().id),
            event_type: "message.delivered",
            body: "{}".into(),
            created_at: START.plus_s(u32::from(number) * 86_400),
        };
        backend.commit(Commit { outbox: vec![entry], ..story.create() }).await.unwrap();
        updates.push(DeliveryUpdate {
            endpoint,
            event,
            at: START,
            status: DeliveryStatus::Delivered,
            attempts: 1,
            next_at: START,
            last_status: Some(204),
            last_error: None,
        });
    }
    let pending = updates.remove(0).event;
    let young = updates[2].event;
    Outbox::record(&*backend, updates).await.unwrap();
    clock.advance((24 * 9 + 1) * HOUR);
    backend.upkeep().await.unwrap();
    let left = Outbox::list(&*backend, ENDPOINT, None, 9).await.unwrap();
    assert_eq!(left.iter().map(|delivery| delivery.event).collect::<Vec<_>>(), [young, pending]);
    backend.close().await;
}

#[tokio::test]
async fn inbound_messages_are_forgotten_after_thirty_days() {
    let (backend, clock, _guard) = with_clock().await;
    let scope = TenantScope::new(tenant(1), Mode::Live);
    let entry = |number: u8, received_at| InboundEntry {
        id: InboundId::new(received_at, number.into()),
        scope,
        channel: Channel::Sms,
        from: Some("+4520123456".into()),
        to: None,
        meaning: InboundMeaning::Message,
        connection: connection(1),
        message: None,
        received_at,
    };
    backend.keep(entry(1, START), [1; 32]).await.unwrap();
    let young = entry(2, START.plus_s(2 * 3_600));
    backend.keep(young.clone(), [2; 32]).await.unwrap();
    clock.advance(30 * 24 * HOUR + HOUR);
    backend.upkeep().await.unwrap();
    assert_eq!(backend.newest(InboundQuery::all(scope, 10)).await.unwrap(), [young]);
}

#[tokio::test]
async fn batches_are_forgotten_a_hundred_days_after_they_ended_and_paused_ones_never() {
    let (backend, clock, _guard) = with_clock().await;
    let scope = TenantScope::new(tenant(1), Mode::Live);
    let id = |number: u64| BatchId::new(START.plus_ms(number), number.into());
    let states = [(1, BatchState::Completed), (2, BatchState::Paused), (3, BatchState::Completed)];
    for (number, state) in states {
        let batch = Batch {
            id: id(number),
            scope,
            state,
            key: "k".into(),
            request_id: "r".into(),
            counts: BatchCounts { total: 1_200, cancelled: 1_200, ..BatchCounts::default() },
            created_at: START,
            updated_at: if number == 3 { START.plus_ms(3_600_000) } else { START },
        };
        let items = (0..1_200).map(|index| BatchItem { index, outcome: ItemOutcome::Cancelled }).collect();
        Batches::record(&*backend, batch, items).await.unwrap();
    }
    clock.advance(100 * 24 * HOUR + Duration::from_millis(1));
    backend.upkeep().await.unwrap();
    let left = Batches::list(&*backend, scope, None, 9).await.unwrap();
    assert_eq!(left.iter().map(|batch| batch.id).collect::<Vec<_>>(), [id(3), id(2)]);
    assert_eq!(backend.items(scope, id(3), 1_199, 9).await.unwrap().len(), 1);
    backend.close().await;
}
