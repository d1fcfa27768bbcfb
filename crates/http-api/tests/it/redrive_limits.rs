//! `POST /admin/v1/redrive`: who may, which messages are meant, and how many at one time.

use std::time::Duration;

use hermes_domain::{
    MessageId,
    access::Role,
    tenant::{ApiKey, KeyOwner},
};
use hermes_ports::actor_tree::ParkedMessage;
use hermes_testkit::{START, tenant};
use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, key, sms, with},
    client::Call,
    redrive::{all_failed, counts, failed, redrive, refuse},
};

fn ids(reply: &Value) -> Vec<MessageId> {
    let id = |one: &Value| one["message_id"].as_str().unwrap().parse().unwrap();
    reply["messages"].as_array().unwrap().iter().map(id).collect()
}

#[tokio::test]
async fn filters_choose_the_messages() {
    let app = App::start().await;
    let first = failed(&app).await;
    let later = app.clock.advance(Duration::from_secs(60));
    let second = failed(&app).await;
    let body = with(sms(), "/cascade/steps/0/providers", json!(["twilio-5"]));
    let theirs = app.post(OTHER, "/v1/messages", &body).await.json();
    let theirs: MessageId = theirs["id"].as_str().unwrap().parse().unwrap();
    refuse(&app, theirs).await;
    let dry = async |field: &str, value: Value| {
        let reply = redrive(&app, &json!({ "what": "failed", "dry_run": true, field: value })).await;
        assert_eq!(reply["redriven"], reply["matched"], "{reply}");
        ids(&reply)
    };
    let later = json!(later.rfc3339());
    assert_eq!(
        dry("limit", json!(10_000)).await,
        [theirs, second, first],
        "tenant by tenant, the newest first"
    );
    assert_eq!(dry("tenant_id", json!(tenant(1))).await, [second, first]);
    assert_eq!(dry("mode", json!("test")).await, []);
    assert_eq!(dry("channel", json!("sms")).await, [theirs, second, first]);
    assert_eq!(dry("channel", json!("email")).await, []);
    assert_eq!(dry("status_reason", json!("steps_exhausted")).await, [theirs, second, first]);
    assert_eq!(dry("status_reason", json!("expired")).await, []);
    assert_eq!(dry("created_after", later.clone()).await, [theirs, second]);
    assert_eq!(dry("created_before", later).await, [first]);
    assert_eq!(dry("tenant_id", json!("tnt_01J00000000000000000000000")).await, []);
}

#[tokio::test]
async fn a_limit_is_gone_on_from_across_tenants() {
    let app = App::start().await;
    let mut expected = Vec::new();
    for (secret, count) in [(LIVE, 2), (OTHER, 3)] {
        for _ in 0..count {
            let body = with(sms(), "/cascade/steps/0/providers", json!(["twilio"]));
            let id = app.post(secret, "/v1/messages", &body).await.json();
            let id: MessageId = id["id"].as_str().unwrap().parse().unwrap();
            refuse(&app, id).await;
            expected.insert(0, id);
        }
    }
    let mut body = json!({ "what": "failed", "limit": 2 });
    let (mut seen, mut calls) = (Vec::new(), 0);
    loop {
        let reply = redrive(&app, &body).await;
        calls += 1;
        seen.extend(ids(&reply));
        assert_eq!(reply["has_more"], json!(reply["next_cursor"].is_string()), "{reply}");
        let Some(cursor) = reply["next_cursor"].as_str() else { break };
        assert_eq!(counts(&reply), [2, 2, 0, 0]);
        body["cursor"] = json!(cursor);
    }
    assert_eq!((seen, calls), (expected, 3));
    let whole = redrive(&app, &json!({ "what": "failed", "limit": 5 })).await;
    assert_eq!(
        (counts(&whole), &whole["has_more"]),
        ([5, 0, 5, 0], &json!(false)),
        "a limit that is just enough"
    );
}

#[tokio::test]
async fn no_more_than_a_hundred_messages_are_shown_but_all_are_counted() {
    let app = App::start().await;
    for _ in 0..101 {
        failed(&app).await;
    }
    let reply = redrive(&app, &all_failed()).await;
    assert_eq!((counts(&reply), ids(&reply).len()), ([101, 101, 0, 0], 100));
}

#[tokio::test]
async fn parked_messages_run_again_all_at_once() {
    let app = App::start().await;
    let mut all = Vec::new();
    for number in 0..3 {
        let id = app.message(&sms()).await;
        let reason = if number == 0 { "panicked: a broken invariant" } else { "failed: away" };
        let parked =
            ParkedMessage { id, tenant: tenant(1), reason: reason.to_owned(), failures: 5, since: START };
        app.actors.parked.lock().push(parked);
        all.insert(0, id);
    }
    let body = |more: Value| {
        let mut body = json!({ "what": "parked" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let dry = redrive(&app, &body(json!({ "dry_run": true }))).await;
    assert_eq!((counts(&dry), ids(&dry)), ([3, 3, 0, 0], all.clone()));
    let reasons = json!([{ "reason": "failed: away", "count": 2 }, { "reason": "panicked: a broken invariant", "count": 1 }]);
    assert_eq!(dry["by_reason"], reasons);
    for none in [
        json!({ "tenant_id": tenant(2) }),
        json!({ "mode": "test" }),
        json!({ "channel": "email" }),
        json!({ "created_before": START.rfc3339() }),
    ] {
        assert_eq!(counts(&redrive(&app, &body(none.clone())).await), [0, 0, 0, 0], "{none}");
    }
    assert_eq!(app.actors.parked.lock().len(), 3, "nothing runs yet");
    let some = json!({ "tenant_id": tenant(1), "mode": "live", "channel": "sms", "created_after": START.rfc3339(), "limit": 2 });
    let reply = redrive(&app, &body(some)).await;
    assert_eq!(
        (counts(&reply), ids(&reply), &reply["has_more"]),
        ([2, 2, 0, 0], all[..2].to_vec(), &json!(true))
    );
    let reply = redrive(&app, &body(json!({}))).await;
    assert_eq!(
        (counts(&reply), ids(&reply), &reply["has_more"]),
        ([1, 1, 0, 0], all[2..].to_vec(), &json!(false))
    );
    assert!(app.actors.parked.lock().is_empty());
}

#[tokio::test]
async fn what_is_asked_for_is_read_strictly() {
    let app = App::start().await;
    let wrong = [
        (json!({}), "/what"),
        (json!({ "what": "delivered" }), "/what"),
        (json!({ "what": "failed", "dryrun": true }), "/dryrun"),
        (json!({ "what": "failed", "limit": 0 }), "/limit"),
        (json!({ "what": "failed", "limit": 10_001 }), "/limit"),
        (json!({ "what": "failed", "cursor": "x" }), "/cursor"),
        (json!({ "what": "failed", "status_reason": "step_succeeded" }), "/status_reason"),
        (json!({ "what": "parked", "status_reason": "expired" }), "/status_reason"),
    ];
    for (body, pointer) in wrong {
        let answer = app.post(ADMIN, "/admin/v1/redrive", &body).await;
        assert_eq!((answer.status, answer.pointers()), (422, vec![pointer.to_owned()]), "{body}");
    }
}

#[tokio::test]
async fn it_takes_an_operator_goes_on_record_and_a_repeated_key_does_nothing_new() {
    let app = App::start().await;
    failed(&app).await;
    let viewer = ApiKey { role: Some(Role::Viewer), ..key(30, KeyOwner::Operator) };
    app.directory.import_key(viewer, "hak_viewer").await.unwrap();
    let operator = ApiKey { role: Some(Role::Operator), ..key(31, KeyOwner::Operator) };
    app.directory.import_key(operator, "hak_operator").await.unwrap();
    assert_eq!(app.post("hak_viewer", "/admin/v1/redrive", &all_failed()).await.status, 403);
    assert_eq!(app.post(LIVE, "/admin/v1/redrive", &all_failed()).await.status, 403);
    let call = || {
        Call::new("POST", "/admin/v1/redrive")
            .key("hak_operator")
            .header("Idempotency-Key", "once")
            .json(&all_failed())
    };
    let (first, again) = (app.call(call()).await, app.call(call()).await);
    assert_eq!(
        (first.status, first.json(), again.header("idempotent-replayed")),
        (200, again.json(), Some("true"))
    );
    let audit = app.get(ADMIN, "/admin/v1/audit").await.json();
    let entries = audit["data"].as_array().unwrap().iter();
    let done = entries.filter(|entry| entry["action"] == "redriveMessages" && entry["role"] == "operator");
    assert_eq!(done.count(), 4, "an intent and an outcome for each call: {audit}");
}
