//! Data keys that nothing is encrypted under any more are destroyed, and no others.

use std::{path::Path, sync::Arc, time::Duration};

use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_domain::{
    message::{Envelope, Mode},
    policy::{Periods, Retention},
    tenant::TenantScope,
};
use hermes_ports::{CascadeStore as _, Retain as _, retention::NoCopies};
use hermes_testkit::{ManualClock, START, Story, envelope, tenant};
use rusqlite::Connection;

const SCOPE: TenantScope = TenantScope::new(tenant(1), Mode::Live);
const DAY: Duration = Duration::from_secs(86_400);

fn to(phone: &str) -> Arc<Envelope> {
    let one = envelope().to_phone(phone).sms();
    one.with(|envelope| (envelope.to.email, envelope.to.push) = (None, Vec::new())).build()
}

async fn ended(backend: &EmbeddedBackend, phone: &str) -> Arc<Envelope> {
    let story = Story::of(&to(phone)).accepted_as("SM1").delivered();
    backend.commit(story.create()).await.unwrap();
    Arc::clone(story.envelope())
}

async fn with_clock(directory: &Path) -> (Arc<EmbeddedBackend>, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(START));
    let options = EmbeddedOptions { clock: clock.clone(), ..EmbeddedOptions::new(directory) };
    (EmbeddedBackend::open(options).await.unwrap(), clock)
}

/// The walk once around, wherever it begins.
async fn swept(backend: &EmbeddedBackend) -> u64 {
    backend.drop_keys().await.unwrap() + backend.drop_keys().await.unwrap()
}

fn rows(directory: &Path, file: &str, sql: &str) -> i64 {
    let db = Connection::open(directory.join(file)).unwrap();
    db.query_row(sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn a_key_goes_with_the_last_message_that_needs_it() {
    let directory = tempfile::tempdir().unwrap();
    let (backend, clock) = with_clock(directory.path()).await;
    ended(&backend, "+4520111111").await;
    ended(&backend, "+4520222222").await;
    backend.merge_terms().await.unwrap();
    assert_eq!(swept(&backend).await, 0, "they are needed");
    let days = Periods { content_days: Some(10), messages_days: None };
    let rules = Retention { periods: days, ..Retention::default() };
    clock.advance(11 * DAY);
    assert_eq!(backend.retain(SCOPE, &rules, &NoCopies).await.unwrap().contents, 2);
    // Newer ones, one of them not in the table of terms yet.
    let again = ended(&backend, "+4520222222").await;
    assert_eq!(swept(&backend).await, 1);
    assert_eq!(swept(&backend).await, 0);
    assert_eq!(rows(directory.path(), "hermes.db", "SELECT count(*) FROM recipient"), 1);
    assert_eq!(rows(directory.path(), "hermes.db", "SELECT count(*) FROM key_to_destroy"), 0);
    assert_eq!(
        rows(directory.path(), "keys.db", "SELECT count(*) FROM data_key WHERE erased_at IS NOT NULL"),
        1
    );
    assert!(backend.load(again.id).await.unwrap().unwrap().envelope == again);
    // Who is written to again gets a new one.
    let back = ended(&backend, "+4520111111").await;
    assert_eq!(swept(&backend).await, 0);
    assert!(backend.load(back.id).await.unwrap().unwrap().envelope == back);
    backend.close().await;
}

#[tokio::test]
async fn one_call_looks_at_a_share_and_the_next_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let (backend, clock) = with_clock(directory.path()).await;
    for number in 0..450 {
        ended(&backend, &format!("+4520{}", 110_000 + number)).await;
    }
    backend.merge_terms().await.unwrap();
    let days = Periods { content_days: None, messages_days: Some(40) };
    let rules = Retention { periods: days, ..Retention::default() };
    clock.advance(41 * DAY);
    assert_eq!(backend.retain(SCOPE, &rules, &NoCopies).await.unwrap().messages, 450);
    let mut dropped = Vec::new();
    for _ in 0..4 {
        dropped.push(backend.drop_keys().await.unwrap());
    }
    assert_eq!(dropped.iter().sum::<u64>(), 450);
    assert!(dropped.iter().all(|share| *share <= 200), "{dropped:?}");
    backend.close().await;
}
