//! What every outbox does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! outbox_contract {
    ($make:path) => {
        $crate::behaviours!($make, outbox:
            the_earliest_try_comes_first,
            endpoints_are_apart,
            recorded_tries_are_kept,
            a_record_of_an_unknown_entry_is_ignored,
            the_log_is_newest_first_and_paged,
            what_no_message_brings_is_owed_once,
            redelivery_counts_and_then_makes_finished_ones_pending,
        );
    };
}

use hermes_domain::{EndpointId, EventId, UnixMillis};
use hermes_ports::{
    cascade_store::Commit,
    outbox::{Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry},
};
use hermes_testkit::{START, Story, envelope};

use crate::Ports;

const ENDPOINT: EndpointId = EndpointId::new(START, 1);
const OTHER: EndpointId = EndpointId::new(START, 2);

/// Owes `endpoint` one notification for each of these creation times; each is about its own message.
async fn owe(ports: &Ports, endpoint: EndpointId, created: &[UnixMillis]) -> Vec<EventId> {
    let mut events = Vec::new();
    for &created_at in created {
        let story = Story::of(&envelope().build());
        let id = story.envelope().id;
        let entry = OutboxEntry {
            endpoint,
            event: id.event_id(1),
            message: id,
            event_type: "message.failed",
            body: "{}".into(),
            created_at,
        };
        events.push(entry.event);
        ports.cascades.commit(Commit { outbox: vec![entry], ..story.create() }).await.unwrap();
    }
    events
}

fn update(event: EventId, status: DeliveryStatus, next_at: UnixMillis) -> DeliveryUpdate {
    DeliveryUpdate {
        endpoint: ENDPOINT,
        event,
        status,
        attempts: 2,
        next_at,
        last_status: Some(503),
        last_error: Some("answered 503".into()),
    }
}

fn events(deliveries: &[Delivery]) -> Vec<EventId> {
    deliveries.iter().map(|delivery| delivery.event).collect()
}

async fn pending(ports: &Ports, limit: usize) -> Vec<EventId> {
    events(&ports.outbox.pending(ENDPOINT, limit).await.unwrap())
}

/// A retry waits behind what is due before it.
pub async fn the_earliest_try_comes_first(ports: &Ports) {
    let owed = owe(ports, ENDPOINT, &[START.plus_ms(3), START.plus_ms(1), START.plus_ms(2)]).await;
    assert_eq!(pending(ports, 9).await, [owed[1], owed[2], owed[0]]);
    ports.outbox.record(vec![update(owed[1], DeliveryStatus::Pending, START.plus_s(5))]).await.unwrap();
    assert_eq!(pending(ports, 2).await, [owed[2], owed[0]]);
    assert_eq!(pending(ports, 9).await, [owed[2], owed[0], owed[1]]);
}

/// Each endpoint has its own queue and log.
pub async fn endpoints_are_apart(ports: &Ports) {
    let mine = owe(ports, ENDPOINT, &[START]).await;
    owe(ports, OTHER, &[START, START]).await;
    assert_eq!(pending(ports, 9).await, mine);
    assert_eq!(events(&ports.outbox.list(ENDPOINT, None, 9).await.unwrap()), mine);
    assert_eq!(ports.outbox.pending(OTHER, 9).await.unwrap().len(), 2);
}

/// A finished delivery is no longer pending but stays in the log, with what happened.
pub async fn recorded_tries_are_kept(ports: &Ports) {
    let owed = owe(ports, ENDPOINT, &[START, START]).await;
    let delivered = update(owed[0], DeliveryStatus::Delivered, START);
    let failed = update(owed[1], DeliveryStatus::Failed, START);
    ports.outbox.record(vec![delivered, failed]).await.unwrap();
    assert_eq!(pending(ports, 9).await, []);
    let log = ports.outbox.list(ENDPOINT, None, 9).await.unwrap();
    let statuses: Vec<_> = log.iter().map(|delivery| delivery.status).collect();
    assert_eq!(statuses, [DeliveryStatus::Failed, DeliveryStatus::Delivered]);
    assert_eq!((log[0].attempts, log[0].last_status), (2, Some(503)));
    assert_eq!(log[0].last_error.as_deref(), Some("answered 503"));
}

/// It may have been forgotten in the meantime.
pub async fn a_record_of_an_unknown_entry_is_ignored(ports: &Ports) {
    let unknown = update(EventId::new(START, 77), DeliveryStatus::Delivered, START);
    ports.outbox.record(vec![unknown]).await.unwrap();
    assert_eq!(ports.outbox.list(ENDPOINT, None, 9).await.unwrap(), []);
}

/// People look at the newest first.
pub async fn the_log_is_newest_first_and_paged(ports: &Ports) {
    let mut newest_first = owe(ports, ENDPOINT, &[START; 5]).await;
    newest_first.sort();
    newest_first.reverse();
    let first = events(&ports.outbox.list(ENDPOINT, None, 2).await.unwrap());
    assert_eq!(first, newest_first[..2]);
    let rest = events(&ports.outbox.list(ENDPOINT, first.last().copied(), 9).await.unwrap());
    assert_eq!(rest, newest_first[2..]);
}

/// An event that is told twice is owed once.
pub async fn what_no_message_brings_is_owed_once(ports: &Ports) {
    let id = envelope().build().id;
    let entry = OutboxEntry {
        endpoint: ENDPOINT,
        event: EventId::new(START, 7),
        message: id,
        event_type: "inbound.received",
        body: "{}".into(),
        created_at: START,
    };
    ports.outbox.owe(vec![entry.clone()]).await.unwrap();
    ports.outbox.record(vec![update(entry.event, DeliveryStatus::Delivered, START)]).await.unwrap();
    ports
        .outbox
        .owe(vec![entry.clone(), OutboxEntry { event: EventId::new(START, 8), ..entry.clone() }])
        .await
        .unwrap();
    let log = ports.outbox.list(ENDPOINT, None, 9).await.unwrap();
    assert_eq!(events(&log), [EventId::new(START, 8), entry.event]);
    assert_eq!((log[1].status, log[1].event_type.as_str()), (DeliveryStatus::Delivered, "inbound.received"));
}

/// A dry run changes nothing; what is pending already is not counted.
pub async fn redelivery_counts_and_then_makes_finished_ones_pending(ports: &Ports) {
    let owed = owe(ports, ENDPOINT, &[START, START.plus_s(1), START.plus_s(2), START.plus_s(3)]).await;
    let finish = |index: usize, status| update(owed[index], status, START);
    let finished = vec![
        finish(0, DeliveryStatus::Delivered),
        finish(1, DeliveryStatus::Failed),
        finish(2, DeliveryStatus::Delivered),
    ];
    ports.outbox.record(finished).await.unwrap();
    let since = START.plus_s(1);
    assert_eq!(ports.outbox.redeliver(ENDPOINT, since, true).await.unwrap(), 2);
    assert_eq!(pending(ports, 9).await, [owed[3]]);
    assert_eq!(ports.outbox.redeliver(ENDPOINT, since, false).await.unwrap(), 2);
    let mut again = pending(ports, 9).await;
    again.sort();
    assert_eq!(again, owed[1..]);
    assert_eq!(ports.outbox.redeliver(OTHER, since, false).await.unwrap(), 0);
}
