//! What every erasure does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! erasure_contract {
    ($make:path) => {
        $crate::behaviours!($make, erasure:
            an_erased_recipient_is_in_no_message_and_everything_else_stays,
            an_erasure_concerns_one_address_of_one_tenant_and_mode_up_to_now,
            every_address_of_a_message_erases_it,
            open_messages_are_told_newest_first_and_paged,
            an_erased_message_still_changes,
            webhooks_of_an_erased_message_tell_no_metadata,
        );
    };
}

use std::sync::Arc;

use hermes_domain::{
    EndpointId, MessageId, UnixMillis,
    address::Recipient,
    content::Content,
    message::{Envelope, Mode},
    recipient_address::RecipientAddress,
    tenant::TenantScope,
};
use hermes_ports::{cascade_store::Commit, erasure::Erased, message_log::MessageQuery, outbox::OutboxEntry};
use hermes_testkit::{EnvelopeBuilder, START, Story, envelope, tenant};

use crate::Ports;

const PHONE: &str = "+4520987654";
const EMAIL: &str = "planted@example.dk";
const AT: UnixMillis = START.plus_s(3_600);

const fn live(number: u64) -> TenantScope {
    TenantScope::new(tenant(number), Mode::Live)
}

/// To both addresses.
fn planted() -> EnvelopeBuilder {
    let planted = envelope().to_phone(PHONE).to_email(EMAIL).tag("order").sms().email();
    planted.with(|envelope| {
        envelope.to.push.clear();
        envelope.metadata.insert("name".into(), "planted".into());
    })
}

async fn sent(ports: &Ports, envelope: EnvelopeBuilder) -> Story {
    let story = Story::of(&envelope.build());
    ports.cascades.commit(story.create()).await.unwrap();
    story
}

async fn erase(ports: &Ports, scope: TenantScope, address: &str) -> Erased {
    ports.erasure.erase(scope, &RecipientAddress::wanted(address), AT).await.unwrap()
}

async fn read(ports: &Ports, id: MessageId) -> Arc<Envelope> {
    ports.cascades.load(id).await.unwrap().unwrap().envelope
}

async fn listed(ports: &Ports, scope: TenantScope, to: Option<&str>) -> Vec<MessageId> {
    let query = MessageQuery {
        tenant: scope.tenant,
        mode: scope.mode,
        statuses: Vec::new(),
        channel: None,
        tag: None,
        to: to.map(str::to_owned),
        created_after: None,
        created_before: None,
        before: None,
        limit: 50,
    };
    ports.log.list(query).await.unwrap().iter().map(|stored| stored.envelope.id).collect()
}

fn assert_erased(envelope: &Envelope) {
    assert_eq!(envelope.erased_at, Some(AT));
    assert!(envelope.to == Recipient::default() && envelope.content == Content::default());
    assert!(envelope.metadata.is_empty() && envelope.warnings.is_empty());
}

/// What is personal is gone; plan, tags and state are not, nor is the message from lists.
pub async fn an_erased_recipient_is_in_no_message_and_everything_else_stays(ports: &Ports) {
    let story = sent(ports, planted()).await;
    let id = story.envelope().id;
    assert_eq!(listed(ports, live(1), Some(PHONE)).await, [id]);
    let erased = erase(ports, live(1), PHONE).await;
    assert_eq!((erased.messages, erased.open), (1, vec![id]));
    let stored = ports.cascades.load(id).await.unwrap().unwrap();
    assert_erased(&stored.envelope);
    assert_eq!(stored.envelope.tags, story.envelope().tags);
    assert!(stored.envelope.plan == story.envelope().plan && stored.state == *story.state());
    assert_eq!(listed(ports, live(1), None).await, [id]);
    assert_eq!(listed(ports, live(1), Some(PHONE)).await, []);
    assert_eq!(listed(ports, live(1), Some(EMAIL)).await, []);
    assert_eq!(erase(ports, live(1), PHONE).await, Erased::default());
    assert_erased(&*read(ports, id).await);
}

/// Neighbours keep theirs, and who is written to after that is found again.
pub async fn an_erasure_concerns_one_address_of_one_tenant_and_mode_up_to_now(ports: &Ports) {
    let test_mode = TenantScope::new(tenant(1), Mode::Test);
    let own = sent(ports, planted()).await.envelope().id;
    let others = [
        sent(ports, planted().tenant(tenant(2))).await.envelope().id,
        sent(ports, planted().with(|envelope| envelope.mode = Mode::Test)).await.envelope().id,
        sent(ports, planted().to_phone("+4520111111").to_email("b@example.dk")).await.envelope().id,
    ];
    erase(ports, live(1), PHONE).await;
    let again = sent(ports, planted()).await.envelope().id;
    assert_erased(&*read(ports, own).await);
    for id in others.into_iter().chain([again]) {
        let envelope = read(ports, id).await;
        assert!(envelope.erased_at.is_none() && envelope.to.phone.is_some(), "{id}");
    }
    assert_eq!(listed(ports, live(2), Some(PHONE)).await, [others[0]]);
    assert_eq!(listed(ports, test_mode, Some(PHONE)).await, [others[1]]);
    assert_eq!(listed(ports, live(1), Some(PHONE)).await, [again]);
}

/// A message to two addresses is gone with either.
pub async fn every_address_of_a_message_erases_it(ports: &Ports) {
    let story = sent(ports, planted()).await;
    assert_eq!(erase(ports, live(1), "Planted@Example.dk").await.messages, 1);
    assert_erased(&*read(ports, story.envelope().id).await);
}

/// Ended ones are none of them.
pub async fn open_messages_are_told_newest_first_and_paged(ports: &Ports) {
    let mut open = Vec::new();
    for _ in 0..3 {
        open.insert(0, sent(ports, planted()).await.envelope().id);
    }
    let ended = Story::of(&planted().build()).accepted_as("SM1").delivered();
    ports.cascades.commit(ended.create()).await.unwrap();
    let phone = RecipientAddress::wanted(PHONE);
    let page =
        async |before, limit| ports.erasure.open_messages(live(1), &phone, before, limit).await.unwrap();
    assert_eq!(page(None, 2).await, open[..2]);
    assert_eq!(page(Some(open[1]), 2).await, open[2..]);
    assert_eq!(page(Some(open[2]), 2).await, []);
}

/// What is under way goes on to its end.
pub async fn an_erased_message_still_changes(ports: &Ports) {
    let story = Story::of(&planted().build()).accepted_as("SM1");
    let revision = ports.cascades.commit(story.create()).await.unwrap();
    erase(ports, live(1), PHONE).await;
    let story = story.delivered();
    ports.cascades.commit(story.replace(revision)).await.unwrap();
    let stored = ports.cascades.load(story.envelope().id).await.unwrap().unwrap();
    assert_eq!(stored.state, *story.state());
    assert_erased(&stored.envelope);
}

/// Those that are still to be told.
pub async fn webhooks_of_an_erased_message_tell_no_metadata(ports: &Ports) {
    let (story, endpoint) = (Story::of(&planted().build()), EndpointId::new(START, 1));
    let entry = OutboxEntry {
        endpoint,
        event: story.envelope().id.event_id(1),
        message: Some(story.envelope().id),
        event_type: "message.accepted",
        body: r#"{"data":{"metadata":null}}"#.into(),
        created_at: START,
    };
    ports.cascades.commit(Commit { outbox: vec![entry], ..story.create() }).await.unwrap();
    let told = async || ports.outbox.pending(endpoint, 9).await.unwrap().remove(0).body;
    assert_eq!(told().await, r#"{"data":{"metadata":{"name":"planted"}}}"#);
    erase(ports, live(1), PHONE).await;
    assert_eq!(told().await, r#"{"data":{"metadata":{}}}"#);
}
