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
            an_event_about_no_message_is_kept,
            metadata_is_told_as_the_message_has_it,
            redelivery_counts_and_then_makes_finished_ones_pending,
            redelivery_takes_the_earliest_first_and_says_where_it_stopped,
            one_event_is_delivered_again_finished_or_not,
            failures_last_from_the_first_one_to_the_next_success,
            a_restart_forgets_failures_and_makes_what_waits_due,
        );
    };
}

use hermes_domain::{EndpointId, EventId, UnixMillis, failure_streak::FailureStreak};
use hermes_ports::{
    cascade_store::Commit,
    outbox::{Delivery, DeliveryStatus, DeliveryUpdate, OutboxEntry, Redelivered, Selection},
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
            message: Some(id),
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
        at: START,
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
        message: Some(id),
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

/// Bodies are kept without metadata and told with those of their message; elsewhere nothing is added.
pub async fn metadata_is_told_as_the_message_has_it(ports: &Ports) {
    let story =
        Story::of(&envelope().with(|one| drop(one.metadata.insert("order".into(), "7".into()))).build());
    let id = story.envelope().id;
    let entry = |number: u16, body: &str| OutboxEntry {
        endpoint: ENDPOINT,
        event: id.event_id(number),
        message: Some(id),
        event_type: "message.failed",
        body: body.into(),
        created_at: START.plus_ms(number.into()),
    };
    let outbox =
        vec![entry(1, r#"{"data":{"metadata":null,"x":1}}"#), entry(2, r#"{"data":{"metadata":{}}}"#)];
    ports.cascades.commit(Commit { outbox, ..story.create() }).await.unwrap();
    let expected = [r#"{"data":{"metadata":{"order":"7"},"x":1}}"#, r#"{"data":{"metadata":{}}}"#];
    let bodies = |found: Vec<Delivery>| found.into_iter().map(|one| one.body).collect::<Vec<_>>();
    assert_eq!(bodies(ports.outbox.pending(ENDPOINT, 9).await.unwrap()), expected);
    let mut listed = bodies(ports.outbox.list(ENDPOINT, None, 9).await.unwrap());
    listed.reverse();
    assert_eq!(listed, expected);
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
    let since = Selection::Since(START.plus_s(1));
    assert_eq!(ports.outbox.redeliverable(ENDPOINT, since).await.unwrap(), 2);
    assert_eq!(pending(ports, 9).await, [owed[3]]);
    let all = Redelivered { count: 2, next_since: None };
    assert_eq!(ports.outbox.redeliver(ENDPOINT, since, 2).await.unwrap(), all);
    let mut again = pending(ports, 9).await;
    again.sort();
    assert_eq!(again, owed[1..]);
    assert_eq!(ports.outbox.redeliver(OTHER, since, 9).await.unwrap(), Redelivered::default());
}

/// More than the limit is asked for in steps.
pub async fn redelivery_takes_the_earliest_first_and_says_where_it_stopped(ports: &Ports) {
    let created = [START.plus_s(2), START, START.plus_s(1), START.plus_s(3)];
    let owed = owe(ports, ENDPOINT, &created).await;
    let finished = owed.iter().map(|event| update(*event, DeliveryStatus::Delivered, START)).collect();
    ports.outbox.record(finished).await.unwrap();
    let first = ports.outbox.redeliver(ENDPOINT, Selection::Since(START), 3).await.unwrap();
    assert_eq!(first, Redelivered { count: 3, next_since: Some(START.plus_s(3)) });
    let mut again = pending(ports, 9).await;
    again.sort();
    let mut earliest = vec![owed[0], owed[1], owed[2]];
    earliest.sort();
    assert_eq!(again, earliest);
}

/// One that waits for its next try need not wait any longer.
pub async fn one_event_is_delivered_again_finished_or_not(ports: &Ports) {
    let owed = owe(ports, ENDPOINT, &[START, START]).await;
    let waiting = update(owed[1], DeliveryStatus::Pending, UnixMillis(u64::MAX >> 8));
    ports.outbox.record(vec![update(owed[0], DeliveryStatus::Failed, START), waiting]).await.unwrap();
    for event in &owed {
        let one = Selection::Event(*event);
        assert_eq!(ports.outbox.redeliverable(ENDPOINT, one).await.unwrap(), 1);
        assert_eq!(ports.outbox.redeliver(ENDPOINT, one, 1).await.unwrap().count, 1);
        assert_eq!(ports.outbox.redeliver(OTHER, one, 1).await.unwrap().count, 0);
    }
    let again = ports.outbox.pending(ENDPOINT, 9).await.unwrap();
    assert_eq!(again.len(), 2);
    for delivery in again {
        assert_eq!(delivery.attempts, 0);
        assert!(delivery.next_at < UnixMillis(u64::MAX >> 8), "{delivery:?}");
    }
    let unknown = Selection::Event(EventId::new(START, 77));
    assert_eq!(ports.outbox.redeliver(ENDPOINT, unknown, 1).await.unwrap().count, 0);
}

/// Events about the service name no message.
pub async fn an_event_about_no_message_is_kept(ports: &Ports) {
    let entry = OutboxEntry {
        endpoint: ENDPOINT,
        event: EventId::new(START, 7),
        message: None,
        event_type: "webhook.disabled",
        body: "{}".into(),
        created_at: START,
    };
    ports.outbox.owe(vec![entry]).await.unwrap();
    assert_eq!(ports.outbox.pending(ENDPOINT, 9).await.unwrap()[0].message, None);
}

/// One write a streak, whatever number of failures it has.
pub async fn failures_last_from_the_first_one_to_the_next_success(ports: &Ports) {
    let owed = owe(ports, ENDPOINT, &[START, START]).await;
    let failed = |hours: u32| DeliveryUpdate {
        at: START.plus_s(hours * 3_600),
        ..update(owed[0], DeliveryStatus::Pending, START)
    };
    assert_eq!(ports.outbox.failures(ENDPOINT).await.unwrap(), None);
    for hours in [0, 1, 20] {
        ports.outbox.record(vec![failed(hours)]).await.unwrap();
    }
    let streak = FailureStreak { since: START, seen: START.plus_s(20 * 3_600) };
    assert_eq!(ports.outbox.failures(ENDPOINT).await.unwrap(), Some(streak));
    assert_eq!(ports.outbox.failures(OTHER).await.unwrap(), None);
    ports.outbox.record(vec![update(owed[1], DeliveryStatus::Delivered, START)]).await.unwrap();
    assert_eq!(ports.outbox.failures(ENDPOINT).await.unwrap(), None);
}

/// An endpoint that is wanted again does not wait for a retry that is hours away.
pub async fn a_restart_forgets_failures_and_makes_what_waits_due(ports: &Ports) {
    let owed = owe(ports, ENDPOINT, &[START, START]).await;
    let late = UnixMillis(u64::MAX >> 8);
    let waiting = update(owed[0], DeliveryStatus::Pending, late);
    ports.outbox.record(vec![waiting, update(owed[1], DeliveryStatus::Failed, late)]).await.unwrap();
    assert_eq!(ports.outbox.restart(OTHER).await.unwrap(), 0);
    assert_eq!(ports.outbox.restart(ENDPOINT).await.unwrap(), 1);
    assert_eq!(ports.outbox.failures(ENDPOINT).await.unwrap(), None);
    let pending = ports.outbox.pending(ENDPOINT, 9).await.unwrap();
    assert_eq!((pending.len(), pending[0].event, pending[0].attempts), (1, owed[0], 0));
    assert!(pending[0].next_at < late);
}
