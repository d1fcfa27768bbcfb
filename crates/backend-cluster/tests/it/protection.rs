//! What is personal is in no byte of NATS, and goes with its keys and its periods.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use futures::StreamExt as _;
use hermes_backend_cluster::{ClusterOptions, CompanionRest, NatsCascadeStore, OpenError};
use hermes_domain::{
    MessageId, UnixMillis,
    message::{Envelope, Mode},
    policy::{Periods, Retention},
    recipient_address::RecipientAddress,
    tenant::TenantScope,
};
use hermes_ports::{
    CascadeStore as _, EnvelopeVault as _, Erasure as _, Retain as _,
    cascade_store::Commit,
    outbox::OutboxEntry,
    retention::{NoCopies, Retained},
};
use hermes_testkit::{ManualClock, START, Story, envelope, nats, tenant};

use crate::{Stores, options};

const DAY: Duration = Duration::from_secs(86_400);
const SCOPE: TenantScope = TenantScope::new(tenant(1), Mode::Live);
const PHONE: &str = "+4520987654";
const AT: UnixMillis = START.plus_s(60);

fn planted() -> Arc<Envelope> {
    let planted = envelope().to_phone(PHONE).sms();
    planted
        .with(|envelope| {
            (envelope.to.email, envelope.to.push) = (None, Vec::new());
            envelope.content.text = Some("planted text".into());
            envelope.metadata.insert("name".into(), "planted name".into());
        })
        .build()
}

/// Every value in the buckets now, with its subject.
async fn values(url: &str, options: &ClusterOptions) -> Vec<(String, Bytes)> {
    let context = async_nats::jetstream::new(async_nats::connect(url).await.unwrap());
    let mut all = Vec::new();
    for number in 0..options.buckets {
        let stream = context.get_stream(format!("KV_{}-{number}", options.bucket_prefix)).await.unwrap();
        let mut subjects = stream.info_with_subjects(">").await.unwrap();
        while let Some(subject) = subjects.next().await {
            let (subject, _) = subject.unwrap();
            let message = stream.get_last_raw_message_by_subject(&subject).await.unwrap();
            all.push((subject, message.payload));
        }
    }
    all
}

async fn values_with(url: &str, options: &ClusterOptions, wanted: &str) -> Vec<String> {
    let holds = |value: &Bytes| value.windows(wanted.len()).any(|window| window == wanted.as_bytes());
    values(url, options).await.into_iter().filter(|(_, value)| holds(value)).map(|(key, _)| key).collect()
}

/// Puts an envelope as earlier builds did.
async fn make_plain(url: &str, options: &ClusterOptions, envelope: &Envelope) {
    let context = async_nats::jetstream::new(async_nats::connect(url).await.unwrap());
    let (partition, id) = (envelope.id.partition(), envelope.id);
    let number = partition % options.buckets;
    let subject = format!("$KV.{}-{number}.e.{partition}.{id}", options.bucket_prefix);
    let json = serde_json::to_vec(envelope).unwrap();
    context.publish(subject, json.into()).await.unwrap().await.unwrap();
    let stream = context.get_stream(format!("KV_{}-{number}", options.bucket_prefix)).await.unwrap();
    // As before there was anything to seal.
    stream.purge().filter(format!("$KV.{}-{number}.sealed", options.bucket_prefix)).await.unwrap();
}

fn with_clock() -> (ClusterOptions, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(START));
    (ClusterOptions { clock: clock.clone(), ..options() }, clock)
}

#[tokio::test]
async fn nothing_personal_is_in_nats() {
    let (server, options) = (nats::server(), options());
    let stores = Stores::fresh(server.url(), options.clone()).await;
    let story = Story::of(&planted());
    let id = story.envelope().id;
    let entry = OutboxEntry {
        endpoint: hermes_domain::EndpointId::new(START, 1),
        event: id.event_id(1),
        message: Some(id),
        event_type: "message.accepted",
        body: r#"{"data":{"metadata":null}}"#.into(),
        created_at: START,
    };
    stores.cascades.commit(Commit { outbox: vec![entry], ..story.create() }).await.unwrap();
    for text in [&PHONE[1..], "planted"] {
        assert_eq!(values_with(server.url(), &options, text).await, Vec::<String>::new(), "{text}");
    }
    assert!(stores.cascades.load(id).await.unwrap().unwrap().envelope == *story.envelope());
}

#[tokio::test]
async fn envelopes_of_earlier_builds_are_read_and_sealed_before_an_erasure() {
    let (server, options) = (nats::server(), options());
    let stores = Stores::fresh(server.url(), options.clone()).await;
    let (read, erased) = (planted(), planted());
    for envelope in [&read, &erased] {
        stores.cascades.commit(Story::of(envelope).create()).await.unwrap();
        make_plain(server.url(), &options, envelope).await;
    }
    let stores = stores.again(server.url(), options.clone()).await;
    assert!(stores.cascades.load(read.id).await.unwrap().unwrap().envelope == read);
    assert_eq!(values_with(server.url(), &options, "planted text").await.len(), 2);
    let done = stores.erasure().erase(SCOPE, &RecipientAddress::wanted(PHONE), AT).await.unwrap();
    assert_eq!(done.messages, 2);
    assert_eq!(values_with(server.url(), &options, "planted").await, Vec::<String>::new());
    let left = stores.cascades.load(erased.id).await.unwrap().unwrap().envelope;
    assert_eq!((left.erased_at, left.content.text.clone()), (Some(AT), None));
}

#[tokio::test]
async fn another_vault_is_refused() {
    let (server, options) = (nats::server(), options());
    let stores = Stores::fresh(server.url(), options.clone()).await;
    let other = Stores::fresh(server.url(), crate::options()).await;
    assert_ne!(stores.companion.fingerprint(), other.companion.fingerprint());
    let rest = CompanionRest::new(other.companion.clone(), other.companion.clone());
    let client = async_nats::connect(server.url()).await.unwrap();
    let opened = NatsCascadeStore::open(client, options, Arc::new(rest), other.companion.clone()).await;
    assert!(matches!(opened, Err(OpenError::OtherVault)), "{opened:?}");
}

#[tokio::test]
async fn periods_of_retention_reach_nats() {
    let server = nats::server();
    let (options, clock) = with_clock();
    let stores = Stores::fresh(server.url(), options.clone()).await;
    let story = Story::of(&planted()).accepted_as("SM1").delivered();
    let id = story.envelope().id;
    stores.cascades.commit(story.create()).await.unwrap();
    let open = Story::of(&planted());
    stores.cascades.commit(open.create()).await.unwrap();
    stores.companion.merge_terms().await.unwrap();
    let days = Periods { content_days: Some(10), messages_days: Some(40) };
    let rules = Retention { periods: days, ..Retention::default() };
    let retain = async || stores.retention().retain(SCOPE, &rules, &NoCopies).await.unwrap();

    let before = value_of(server.url(), &options, 'e', id).await;
    clock.advance(11 * DAY);
    assert_eq!(retain().await, Retained { contents: 1, messages: 0 });
    let after = value_of(server.url(), &options, 'e', id).await.unwrap();
    assert!(before.unwrap().len() > after.len() && stores.companion.unseal(&after).await.is_ok());
    let left = stores.cascades.load(id).await.unwrap().unwrap();
    assert_eq!((left.envelope.erased_at.is_some(), &left.state), (true, story.state()));
    clock.advance(30 * DAY);
    assert_eq!(retain().await, Retained { contents: 0, messages: 1 });
    for kind in ['e', 's', 'l'] {
        let value = value_of(server.url(), &options, kind, id).await;
        assert!(value.is_none_or(|value| value.is_empty()), "{kind}");
    }
    assert!(stores.cascades.load(id).await.unwrap().is_none());
    let open = stores.cascades.load(open.envelope().id).await.unwrap().unwrap();
    assert!(open.envelope.erased_at.is_none(), "it has not ended");
}

async fn value_of(url: &str, options: &ClusterOptions, kind: char, id: MessageId) -> Option<Bytes> {
    let end = format!(".{kind}.{}.{id}", id.partition());
    values(url, options).await.into_iter().find(|(key, _)| key.ends_with(&end)).map(|(_, value)| value)
}
