//! Messages go when they were kept long enough, and not before.

use std::{sync::Arc, time::Duration};

use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_domain::{
    MessageId,
    address::{Channel, Recipient},
    content::Content,
    message::{Envelope, Mode},
    policy::{Periods, Retention},
    tenant::TenantScope,
};
use hermes_ports::{
    CascadeStore as _, MessageLog, Retain as _,
    message_log::MessageQuery,
    retention::{NoCopies, Retained},
};
use hermes_testkit::{EnvelopeBuilder, ManualClock, START, Story, envelope, tenant};
use rusqlite::Connection;

const DAY: Duration = Duration::from_secs(86_400);
const SCOPE: TenantScope = TenantScope::new(tenant(1), Mode::Live);

fn rules() -> Retention {
    let days = |content, messages| Periods { content_days: Some(content), messages_days: Some(messages) };
    Retention { periods: days(30, 60), per_channel: [(Channel::Email, days(10, 90))].into() }
}

async fn ended(backend: &EmbeddedBackend, message: EnvelopeBuilder) -> Arc<Envelope> {
    let story = Story::of(&message.tag("order").build()).accepted_as("SM1").delivered();
    backend.commit(story.create()).await.unwrap();
    Arc::clone(story.envelope())
}

async fn all(backend: &EmbeddedBackend, to: Option<&str>) -> Vec<MessageId> {
    let query = MessageQuery {
        tenant: tenant(1),
        mode: Mode::Live,
        statuses: Vec::new(),
        channel: None,
        tag: None,
        to: to.map(Into::into),
        created_after: None,
        created_before: None,
        before: None,
        limit: 250,
    };
    let found = MessageLog::list(backend, query).await.unwrap();
    found.iter().rev().map(|stored| stored.envelope.id).collect()
}

async fn is_readable(backend: &EmbeddedBackend, id: MessageId) -> bool {
    let envelope = backend.load(id).await.unwrap().unwrap().envelope;
    let empty = envelope.to == Recipient::default() && envelope.content == Content::default();
    assert_eq!(empty, envelope.erased_at.is_some());
    !empty
}

#[tokio::test]
async fn contents_go_first_and_messages_later_each_channel_in_its_time() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let options = EmbeddedOptions { clock: clock.clone(), ..EmbeddedOptions::new(directory.path()) };
    let backend = EmbeddedBackend::open(options).await.unwrap();
    let sms = ended(&backend, envelope().sms()).await.id;
    let email = ended(&backend, envelope().email()).await.id;
    let both = ended(&backend, envelope().sms().email()).await.id;
    let open = Story::of(&envelope().sms().build()).accepted_as("SM1");
    let revision = backend.commit(open.create()).await.unwrap();
    let id = open.envelope().id;
    let elsewhere = ended(&backend, envelope().tenant(tenant(2)).sms()).await.id;
    backend.merge_terms().await.unwrap();
    let gone = |contents, messages| Retained { contents, messages };
    clock.advance(10 * DAY - Duration::from_secs(1));
    assert_eq!(backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap(), gone(0, 0), "a second too early");
    clock.advance(Duration::from_secs(2));
    assert_eq!(backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap(), gone(2, 0));
    assert!(!is_readable(&backend, email).await && is_readable(&backend, sms).await);
    assert!(!is_readable(&backend, both).await, "of two channels the shorter one counts");
    clock.advance(20 * DAY);
    assert_eq!(backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap(), gone(1, 0));
    assert_eq!(all(&backend, Some("+4520123456")).await, [id]);
    assert!(is_readable(&backend, id).await, "one that has not ended keeps what it still needs");
    backend.commit(open.delivered().replace(revision)).await.unwrap();
    assert_eq!(backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap(), gone(1, 0));
    assert!(!is_readable(&backend, id).await, "and is looked at again");
    clock.advance(30 * DAY);
    assert_eq!(backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap(), gone(0, 3));
    assert_eq!(all(&backend, None).await, [email], "email is kept for 90 days");
    assert!(backend.load(sms).await.unwrap().is_none());
    clock.advance(30 * DAY);
    assert_eq!(backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap(), gone(0, 1));
    assert!(is_readable(&backend, elsewhere).await, "another tenant's rules are its own");
    backend.close().await;
    let db = Connection::open(directory.path().join("hermes.db")).unwrap();
    let rows = |table: &str| {
        db.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0)).unwrap()
    };
    let of_elsewhere = 6; // Its list, its tag, its provider id, and three addresses.
    assert_eq!((rows("message"), rows("state"), rows("term")), (1, 1, of_elsewhere));
}

#[tokio::test]
async fn many_go_in_bounded_runs() {
    let directory = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let options = EmbeddedOptions { clock: clock.clone(), ..EmbeddedOptions::new(directory.path()) };
    let backend = EmbeddedBackend::open(options).await.unwrap();
    for _ in 0..450 {
        ended(&backend, envelope().sms()).await;
    }
    backend.merge_terms().await.unwrap();
    clock.advance(61 * DAY);
    let gone = backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap();
    assert_eq!(gone, Retained { contents: 450, messages: 450 });
    assert_eq!(backend.retain(SCOPE, &rules(), &NoCopies).await.unwrap(), Retained::default());
    assert_eq!(all(&backend, None).await, []);
}
