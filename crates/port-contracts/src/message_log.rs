//! What every message log does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! message_log_contract {
    ($make:path) => {
        $crate::behaviours!($make, message_log:
            the_newest_message_comes_first_with_its_newest_state,
            one_more_than_asked_for_tells_that_there_is_more,
            pages_follow_each_other_without_gap_or_repetition,
            tenants_and_modes_are_apart,
            messages_are_found_by_status,
            messages_are_found_by_channel,
            messages_are_found_by_tag,
            messages_are_found_by_address,
            messages_are_found_by_time,
            every_condition_must_hold,
            an_attempt_is_found_by_the_providers_id,
            a_reused_provider_id_means_the_newest_message,
        );
    };
}

use hermes_domain::{
    AttemptRef, MessageId, UnixMillis, address::Channel, cascade::MessageStatus, message::Mode,
};
use hermes_ports::message_log::MessageQuery;
use hermes_testkit::{EnvelopeBuilder, START, Story, connection, envelope, tenant};

use crate::Ports;

fn query() -> MessageQuery {
    MessageQuery {
        tenant: tenant(1),
        mode: Mode::Live,
        statuses: Vec::new(),
        channel: None,
        tag: None,
        to: None,
        created_after: None,
        created_before: None,
        before: None,
        limit: 50,
    }
}

async fn created(ports: &Ports, envelope: EnvelopeBuilder) -> Story {
    let story = Story::of(&envelope.build());
    ports.cascades.commit(story.create()).await.unwrap();
    story
}

async fn id_of(ports: &Ports, envelope: EnvelopeBuilder) -> MessageId {
    created(ports, envelope).await.envelope().id
}

async fn list(ports: &Ports, query: MessageQuery) -> Vec<MessageId> {
    let found = ports.log.list(query).await.unwrap();
    found.iter().map(|stored| stored.envelope.id).collect()
}

/// Running messages are listed too, as they stand.
pub async fn the_newest_message_comes_first_with_its_newest_state(ports: &Ports) {
    let old = created(ports, envelope()).await;
    let story = Story::of(&envelope().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let story = story.accepted_as("SM1");
    let second = ports.cascades.commit(story.replace(first)).await.unwrap();
    let found = ports.log.list(query()).await.unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!((&found[0].envelope, &found[0].state), (story.envelope(), story.state()));
    assert_eq!(found[0].revision, second);
    assert_eq!(found[1].envelope, *old.envelope());
}

/// The caller learns whether to offer a cursor.
pub async fn one_more_than_asked_for_tells_that_there_is_more(ports: &Ports) {
    for _ in 0..4 {
        created(ports, envelope()).await;
    }
    assert_eq!(list(ports, MessageQuery { limit: 3, ..query() }).await.len(), 4);
    assert_eq!(list(ports, MessageQuery { limit: 2, ..query() }).await.len(), 3);
    assert_eq!(list(ports, MessageQuery { limit: 9, ..query() }).await.len(), 4);
}

/// A cursor is the last message of the page before it.
pub async fn pages_follow_each_other_without_gap_or_repetition(ports: &Ports) {
    let mut expected = Vec::new();
    for partition in [9, 0, 255, 9, 9] {
        expected.push(id_of(ports, envelope().partition(partition)).await);
    }
    expected.sort();
    expected.reverse();
    let mut found: Vec<MessageId> = Vec::new();
    loop {
        let page = list(ports, MessageQuery { before: found.last().copied(), limit: 2, ..query() }).await;
        found.extend(page.iter().take(2));
        if page.len() <= 2 {
            break;
        }
    }
    assert_eq!(found, expected);
}

/// Mutually invisible.
pub async fn tenants_and_modes_are_apart(ports: &Ports) {
    let mine = id_of(ports, envelope()).await;
    let theirs = id_of(ports, envelope().tenant(tenant(2))).await;
    let tested = id_of(ports, envelope().test_mode()).await;
    assert_eq!(list(ports, query()).await, [mine]);
    assert_eq!(list(ports, MessageQuery { tenant: tenant(2), ..query() }).await, [theirs]);
    assert_eq!(list(ports, MessageQuery { mode: Mode::Test, ..query() }).await, [tested]);
    let to_theirs = MessageQuery { tenant: tenant(3), to: Some("+4520123456".into()), ..query() };
    assert_eq!(list(ports, to_theirs).await, []);
}

/// The status as it is now.
pub async fn messages_are_found_by_status(ports: &Ports) {
    let waiting = id_of(ports, envelope()).await;
    let story = Story::of(&envelope().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let story = story.accepted_as("SM1").delivered();
    ports.cascades.commit(story.replace(first)).await.unwrap();
    let with = |statuses: &[MessageStatus]| MessageQuery { statuses: statuses.to_vec(), ..query() };
    let delivered = story.envelope().id;
    assert_eq!(list(ports, with(&[MessageStatus::Delivered])).await, [delivered]);
    assert_eq!(list(ports, with(&[MessageStatus::Accepted])).await, [waiting]);
    assert_eq!(list(ports, with(&[MessageStatus::Failed])).await, []);
    let either = [MessageStatus::Accepted, MessageStatus::Delivered];
    assert_eq!(list(ports, with(&either)).await, [delivered, waiting]);
}

/// Any step counts.
pub async fn messages_are_found_by_channel(ports: &Ports) {
    let both = id_of(ports, envelope().sms().email()).await;
    let sms = id_of(ports, envelope().sms()).await;
    let with = |channel| MessageQuery { channel: Some(channel), ..query() };
    assert_eq!(list(ports, with(Channel::Email)).await, [both]);
    assert_eq!(list(ports, with(Channel::Sms)).await, [sms, both]);
}

/// Any tag counts, whole.
pub async fn messages_are_found_by_tag(ports: &Ports) {
    let tagged = id_of(ports, envelope().tag("order").tag("vip")).await;
    created(ports, envelope().tag("orders")).await;
    created(ports, envelope()).await;
    let with = |tag: &str| MessageQuery { tag: Some(tag.into()), ..query() };
    assert_eq!(list(ports, with("order")).await, [tagged]);
    assert_eq!(list(ports, with("vip")).await, [tagged]);
    assert_eq!(list(ports, with("Order")).await, []);
}

/// Phone, WhatsApp and email.
pub async fn messages_are_found_by_address(ports: &Ports) {
    let phoned = id_of(ports, envelope().to_phone("+4520654321")).await;
    let mailed = id_of(ports, envelope().to_email("B@Example.dk")).await;
    let to = |address: &str| MessageQuery { to: Some(address.into()), ..query() };
    assert_eq!(list(ports, to("+4520654321")).await, [phoned]);
    assert_eq!(list(ports, to("b@example.dk")).await, [mailed]);
    assert_eq!(list(ports, to("+4520123456")).await, [mailed]);
    assert_eq!(list(ports, to("nobody@example.dk")).await, []);
}

/// After includes, before excludes.
pub async fn messages_are_found_by_time(ports: &Ports) {
    let minted = |at: UnixMillis| envelope().id(MessageId::mint(at, 1, 1, at.0)).created_at(at);
    let (early, late) = (START.plus_s(10_000), START.plus_s(20_000));
    let (first, second) = (id_of(ports, minted(early)).await, id_of(ports, minted(late)).await);
    let after = |at| MessageQuery { created_after: Some(at), ..query() };
    let before = |at| MessageQuery { created_before: Some(at), ..query() };
    assert_eq!(list(ports, after(early)).await, [second, first]);
    assert_eq!(list(ports, after(early.plus_ms(1))).await, [second]);
    assert_eq!(list(ports, before(late)).await, [first]);
    assert_eq!(list(ports, before(late.plus_ms(1))).await, [second, first]);
}

/// Conditions narrow each other, however many messages one of them alone would find.
pub async fn every_condition_must_hold(ports: &Ports) {
    let wanted = id_of(ports, envelope().email().tag("order")).await;
    for _ in 0..150 {
        created(ports, envelope().sms().tag("order")).await;
    }
    let both = MessageQuery { tag: Some("order".into()), channel: Some(Channel::Email), limit: 1, ..query() };
    assert_eq!(list(ports, both.clone()).await, [wanted]);
    assert_eq!(list(ports, MessageQuery { to: Some("x@example.dk".into()), ..both }).await, []);
}

/// For receipts that do not return our reference.
pub async fn an_attempt_is_found_by_the_providers_id(ports: &Ports) {
    let story = Story::of(&envelope().sms().build());
    let first = ports.cascades.commit(story.create()).await.unwrap();
    let find = |number, id: &'static str| ports.log.find_by_provider_id(connection(number), id);
    assert_eq!(find(1, "SM1").await.unwrap(), None);
    let story = story.accepted_as("SM1");
    let second = ports.cascades.commit(story.replace(first)).await.unwrap();
    let attempt = AttemptRef { message: story.envelope().id, attempt: 1 };
    assert_eq!(find(1, "SM1").await.unwrap(), Some(attempt));
    assert_eq!(find(2, "SM1").await.unwrap(), None, "another connection's ids are its own");
    assert_eq!(find(1, "SM2").await.unwrap(), None);
    ports.cascades.commit(story.delivered().replace(second)).await.unwrap();
    assert_eq!(find(1, "SM1").await.unwrap(), Some(attempt), "receipts come after the end, too");
}

/// Providers promise uniqueness for some days only.
pub async fn a_reused_provider_id_means_the_newest_message(ports: &Ports) {
    let mut newest = None;
    for _ in 0..3 {
        let story = Story::of(&envelope().build()).accepted_as("SM1");
        ports.cascades.commit(story.create()).await.unwrap();
        newest = Some(AttemptRef { message: story.envelope().id, attempt: 1 });
    }
    assert_eq!(ports.log.find_by_provider_id(connection(1), "SM1").await.unwrap(), newest);
}
