//! One reply for one request, however often it is sent.

use std::{sync::atomic::Ordering, time::Duration};

use hermes_domain::message::Mode;
use hermes_ports::{Idempotency as _, idempotency::ClaimResult};
use hermes_testkit::tenant;
use serde_json::json;

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, sms, with},
    client::{Answer, Call},
};

fn keyed(key: &str) -> Call {
    Call::new("POST", "/v1/messages").key(LIVE).header("idempotency-key", key)
}

#[tokio::test]
async fn the_same_request_gets_the_same_reply_and_makes_one_message() {
    let app = App::start().await;
    let body = with(sms(), "/metadata", json!({ "a": "1", "b": "2" }));
    let first = app.call(keyed("k").json(&body)).await;
    app.clock.advance(Duration::from_secs(5));
    // Another order of keys and other blanks mean the same.
    let reordered = r#"{ "metadata": {"b":"2","a":"1"}, "content": {"text":"Order 1042 has shipped"},
        "cascade": {"steps":[{"channel":"sms"}]}, "to": {"phone":"+4520123456"} }"#;
    let again = app.call(keyed("k").header("content-type", "application/json").bytes(reordered)).await;
    assert_eq!((first.status, again.status, &first.text), (202, 202, &again.text));
    assert_eq!(
        (first.header("idempotent-replayed"), again.header("idempotent-replayed")),
        (None, Some("true"))
    );
    assert_eq!(first.header("location"), again.header("location"));
    assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_key_belongs_to_one_request_and_to_one_tenant_and_mode() {
    let app = App::start().await;
    assert_eq!(app.call(keyed("k").json(&sms())).await.status, 202);
    let other = app.call(keyed("k").json(&with(sms(), "/content/text", json!("something else")))).await;
    assert_eq!((other.status, other.code()), (422, "idempotency_mismatch".into()));
    let elsewhere = app
        .call(Call::new("POST", "/v1/cascades").key(LIVE).header("idempotency-key", "k").json(&sms()))
        .await;
    assert_eq!(elsewhere.code(), "idempotency_mismatch");
    for key in [OTHER, TEST] {
        let answer = app
            .call(Call::new("POST", "/v1/messages").key(key).header("idempotency-key", "k").json(&sms()))
            .await;
        assert_eq!((answer.status, answer.header("idempotent-replayed")), (202, None));
    }
}

#[tokio::test]
async fn a_refusal_releases_the_key() {
    let app = App::start().await;
    let refused = app.call(keyed("k").json(&with(sms(), "/to/phone", json!("1")))).await;
    assert_eq!(refused.status, 422);
    app.intake.overloaded.store(true, Ordering::SeqCst);
    assert_eq!(app.call(keyed("k").json(&sms())).await.status, 429);
    app.intake.overloaded.store(false, Ordering::SeqCst);
    assert_eq!(app.call(keyed("k").json(&sms())).await.status, 202);
}

#[tokio::test]
async fn while_the_first_runs_the_second_is_told_to_wait() {
    let (app, body) = (App::start().await, sms());
    let held = app.intake.gate.write().await;
    let first = app.call(keyed("k").json(&body));
    tokio::pin!(first);
    tokio::select! {
        _ = &mut first => panic!("the intake is held"),
        () = app.intake.arrived.notified() => {}
    }
    let second = app.call(keyed("k").json(&body)).await;
    assert_eq!((second.code(), second.header("retry-after")), ("idempotency_in_progress".into(), Some("1")));
    drop(held);
    assert_eq!(first.await.status, 202);
    assert_eq!(app.call(keyed("k").json(&sms())).await.header("idempotent-replayed"), Some("true"));
}

#[tokio::test]
async fn a_claim_lives_a_day_and_a_day_beyond_send_at() {
    let app = App::start().await;
    app.call(keyed("now").json(&sms())).await;
    let later = hermes_testkit::START.plus_s(86_400).rfc3339();
    app.call(keyed("later").json(&with(sms(), "/send_at", json!(later)))).await;
    app.clock.advance(Duration::from_secs(86_399));
    assert_eq!(app.call(keyed("now").json(&sms())).await.header("idempotent-replayed"), Some("true"));
    app.clock.advance(Duration::from_secs(2));
    assert_eq!(app.call(keyed("now").json(&sms())).await.header("idempotent-replayed"), None);
    let kept = app.call(keyed("later").json(&with(sms(), "/send_at", json!(later)))).await;
    assert_eq!(kept.header("idempotent-replayed"), Some("true"));
}

/// Where claim and message live in different servers, a crash may come between them.
#[tokio::test]
async fn a_claim_without_its_message_is_completed_under_the_reserved_id() {
    let app = App::start().await;
    let first = app.call(keyed("k").json(&sms())).await;
    let now = hermes_testkit::START;
    let mut claim = app.backend.find(tenant(1), Mode::Live, "k", now).await.unwrap().unwrap();
    let reserved = hermes_testkit::message_id(9);
    (claim.key, claim.result) = ("crashed".into(), ClaimResult::Message(reserved));
    app.backend.save(claim).await.unwrap();
    let answer = app.call(keyed("crashed").json(&sms())).await;
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (202, None), "{}", answer.text);
    assert_eq!(answer.json()["id"], reserved.to_string());
    assert_ne!(first.json()["id"], answer.json()["id"]);
}

#[tokio::test]
async fn repetitions_omit_what_is_shown_once() {
    let app = App::start().await;
    let body = json!({ "url": "https://example.com/hook" });
    let call = || Call::new("POST", "/v1/webhooks").key(LIVE).header("idempotency-key", "w").json(&body);
    let (first, again) = (app.call(call()).await, app.call(call()).await);
    assert!(first.json()["secret"].as_str().unwrap().starts_with("whsec_"));
    assert_eq!(
        (again.status, &again.json()["id"], again.json().get("secret")),
        (201, &first.json()["id"], None)
    );
    assert_eq!(again.header("idempotent-replayed"), Some("true"));

    let path = format!("/admin/v1/tenants/{}/keys", tenant(1));
    let call = || {
        Call::new("POST", path.clone())
            .key(ADMIN)
            .header("idempotency-key", "w")
            .json(&json!({ "name": "ci", "mode": "test" }))
    };
    let (first, again) = (app.call(call()).await, app.call(call()).await);
    assert!(first.json()["key"].as_str().unwrap().starts_with("hk_test_"));
    assert_eq!(
        (again.status, again.json().get("key"), &again.json()["id"]),
        (201, None, &first.json()["id"])
    );
}

#[tokio::test]
async fn a_repetition_names_the_place_and_the_version_of_what_was_made() {
    let app = App::start().await;
    let tenants_key = json!({ "name": "ci", "mode": "test" });
    for (key, path, body) in [
        (LIVE, "/v1/webhooks".to_owned(), json!({ "url": "https://example.com/hook" })),
        (LIVE, "/v1/suppressions".to_owned(), json!({ "address": "+4520123456", "channel": "sms" })),
        (ADMIN, format!("/admin/v1/tenants/{}/keys", tenant(1)), tenants_key),
    ] {
        let call = || Call::new("POST", path.clone()).key(key).header("idempotency-key", &path).json(&body);
        let (first, again) = (app.call(call()).await, app.call(call()).await);
        assert_eq!((first.status, again.status), (201, 201), "{path}: {}", first.text);
        let told = |answer: &Answer| ["location", "etag"].map(|name| answer.header(name).map(str::to_owned));
        assert!(told(&first)[0].as_ref().is_some_and(|place| place.starts_with(&path)), "{path}");
        assert_eq!(told(&again), told(&first), "{path}");
        assert_eq!(first.header("etag").is_some(), key == LIVE, "{path}");
    }
}
