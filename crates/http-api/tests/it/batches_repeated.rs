//! One reply for one batch, however often its request is sent.

use std::{sync::atomic::Ordering, time::Duration};

use hermes_domain::{message::Mode, tenant::TenantScope};
use hermes_ports::{Batches as _, Clock as _, Idempotency as _};
use hermes_testkit::tenant;
use serde_json::{Value, json};

use crate::{
    app::{App, LIVE, sms, with},
    client::{Answer, Call},
};

fn keyed(messages: &[Value]) -> Call {
    let call = Call::new("POST", "/v1/batches").key(LIVE).header("idempotency-key", "b");
    call.json(&json!({ "messages": messages }))
}

fn upload(lines: &[Value]) -> Call {
    let body = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
    let call = Call::new("POST", "/v1/batches").key(LIVE).header("idempotency-key", "b");
    call.header("content-type", "application/x-ndjson").bytes(body)
}

fn is_replayed(answer: &Answer) -> bool {
    answer.header("idempotent-replayed") == Some("true")
}

impl App {
    async fn messages(&self) -> usize {
        self.get(LIVE, "/v1/messages").await.json()["data"].as_array().unwrap().len()
    }
}

#[tokio::test]
async fn a_repeated_batch_gets_the_same_reply_and_makes_nothing() {
    let app = App::start().await;
    let messages = [sms(), with(sms(), "/to/phone", json!("1"))];
    let first = app.call(keyed(&messages)).await;
    let path = format!("/v1/batches/{}", first.json()["id"].as_str().unwrap());
    assert_eq!((first.header("location"), is_replayed(&first)), (Some(path.as_str()), false));
    // What becomes of the batch later changes nothing of it.
    assert_eq!(app.post(LIVE, &format!("{path}/cancel"), &json!({})).await.status, 200);
    let second = app.call(keyed(&messages)).await;
    assert_eq!((second.status, second.json(), is_replayed(&second)), (202, first.json(), true));
    assert_eq!(second.header("location"), Some(path.as_str()));
    assert_eq!(app.messages().await, 1);
    assert_eq!(app.get(LIVE, "/v1/batches").await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_is_for_one_batch_in_one_format() {
    let app = App::start().await;
    app.call(keyed(&[sms()])).await;
    for other in
        [keyed(&[sms(), sms()]), keyed(&[with(sms(), "/content/text", json!("x"))]), upload(&[sms()])]
    {
        let answer = app.call(other).await;
        assert_eq!((answer.status, answer.code().as_str()), (422, "idempotency_mismatch"));
    }
    assert_eq!(app.messages().await, 1);
    let app = App::start().await;
    app.call(upload(&[sms()])).await;
    assert_eq!(app.call(keyed(&[sms()])).await.code(), "idempotency_mismatch");
}

#[tokio::test]
async fn what_was_refused_for_the_moment_is_taken_by_a_repetition() {
    let app = App::start().await;
    app.intake.overloaded.store(true, Ordering::SeqCst);
    let first = app.call(keyed(&[sms(), sms()])).await.json();
    assert_eq!((&first["refused"], &first["data"][0]["status"]), (&json!(2), &json!(429)));
    app.intake.overloaded.store(false, Ordering::SeqCst);
    let second = app.call(keyed(&[sms(), sms()])).await;
    assert_eq!((&second.json()["accepted"], is_replayed(&second)), (&json!(2), false));
    assert_eq!(second.json()["id"], first["id"]);
    assert!(is_replayed(&app.call(keyed(&[sms(), sms()])).await));
    assert_eq!(app.messages().await, 2);
}

#[tokio::test]
async fn a_batch_that_a_crash_interrupted_is_finished_by_the_same_request_only() {
    let app = App::start().await;
    let first = app.call(keyed(&[sms(), sms()])).await.json();
    // The crash: its messages and the key are on record, it is not.
    let batch = app.backend.list(TenantScope::new(tenant(1), Mode::Live), None, 1).await.unwrap().remove(0);
    app.backend.discard(batch.scope, batch.id).await.unwrap();
    assert_eq!(app.call(keyed(&[sms()])).await.code(), "idempotency_mismatch");
    let second = app.call(keyed(&[sms(), sms()])).await;
    assert_eq!((second.json(), is_replayed(&second)), (first, false));
    assert!(is_replayed(&app.call(keyed(&[sms(), sms()])).await));
    assert_eq!(app.messages().await, 2);
}

#[tokio::test]
async fn a_key_is_kept_a_day_past_the_last_message() {
    let app = App::start().await;
    let later = with(sms(), "/send_at", json!("2026-01-31T00:00:00Z"));
    app.call(keyed(&[sms(), later.clone()])).await;
    app.clock.advance(Duration::from_secs(20 * 86_400));
    let again = app.call(keyed(&[sms(), later])).await;
    assert!(is_replayed(&again));
    let claim = app.backend.find(tenant(1), Mode::Live, "b", app.clock.now()).await;
    assert_eq!(claim.unwrap().unwrap().expires_at.rfc3339(), "2026-02-01T00:00:00.000Z");
}

#[tokio::test]
async fn what_validation_said_is_said_again() {
    let app = App::start().await;
    let validate = |body: &Value| {
        Call::new("POST", "/v1/messages/validate").key(LIVE).header("idempotency-key", "v").json(body)
    };
    let first = app.call(validate(&sms())).await;
    let second = app.call(validate(&sms())).await;
    assert_eq!((first.json(), is_replayed(&first)), (second.json(), false));
    assert!(is_replayed(&second));
    let other = with(sms(), "/to/phone", json!("1"));
    assert_eq!(app.call(validate(&other)).await.code(), "idempotency_mismatch");
}
