//! Webhook endpoints.

use hermes_domain::UnixMillis;
use hermes_ports::{
    CascadeStore as _, Outbox as _,
    cascade_store::Commit,
    outbox::{DeliveryStatus, DeliveryUpdate, OutboxEntry},
};
use hermes_testkit::{START, envelope};
use serde_json::{Value, json};

use crate::{
    app::{App, AppOptions, LIVE},
    client::Call,
};

async fn created(app: &App) -> (String, Value, String) {
    let body = json!({ "url": "https://example.com/hook", "event_types": ["message.delivered"], "description": "ours" });
    let answer = app.post(LIVE, "/v1/webhooks", &body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let reply = answer.json();
    let path = format!("/v1/webhooks/{}", reply["id"].as_str().unwrap());
    assert_eq!(answer.header("location"), Some(path.as_str()));
    (path, reply, answer.header("etag").unwrap().to_owned())
}

#[tokio::test]
async fn the_secret_is_shown_once_and_never_again() {
    let app = App::start().await;
    let (path, reply, etag) = created(&app).await;
    let secret = reply["secret"].as_str().unwrap();
    assert!(secret.starts_with("whsec_"));
    let read = app.get(LIVE, &path).await;
    assert_eq!(
        (read.header("etag"), read.json()["description"].as_str()),
        (Some(etag.as_str()), Some("ours"))
    );
    let list = app.get(LIVE, "/v1/webhooks").await;
    assert!(!read.text.contains(secret) && !list.text.contains(secret));
    assert_eq!(list.json()["data"].as_array().unwrap().len(), 1);
    let rotated = app.call(Call::new("POST", format!("{path}/rotate_secret")).key(LIVE)).await.json();
    assert_ne!(rotated["secret"].as_str().unwrap(), secret);
}

#[tokio::test]
async fn a_change_names_the_version_that_it_changes() {
    let app = App::start().await;
    let (path, _, etag) = created(&app).await;
    let patch = |tag: Option<&str>| {
        let call = Call::new("PATCH", path.clone()).key(LIVE).json(&json!({ "disabled": true }));
        match tag {
            Some(tag) => call.header("if-match", tag),
            None => call,
        }
    };
    let without = app.call(patch(None)).await;
    assert_eq!((without.status, without.code()), (428, "precondition_required".into()));
    let changed = app.call(patch(Some(&etag))).await;
    assert_eq!((changed.status, changed.json()["disabled"].clone()), (200, json!(true)));
    assert_eq!(changed.json()["url"], "https://example.com/hook");
    let stale = app.call(patch(Some(&etag))).await;
    assert_eq!((stale.status, stale.code()), (412, "version_conflict".into()));
    assert_eq!(app.call(patch(Some("x"))).await.code(), "header_invalid");
    let stale = app.call(Call::new("DELETE", path.clone()).key(LIVE).header("if-match", &etag)).await;
    assert_eq!(stale.status, 412);
    assert_eq!(app.call(Call::new("DELETE", path.clone()).key(LIVE)).await.status, 204);
    assert_eq!(app.get(LIVE, &path).await.status, 404);
}

#[tokio::test]
async fn private_addresses_are_refused_unless_the_operator_allows_them() {
    let body = json!({ "url": "http://127.0.0.1:9000/hook" });
    assert_eq!(App::start().await.post(LIVE, "/v1/webhooks", &body).await.code(), "schema_invalid");
    let mut options = AppOptions::default();
    options.limits.private_webhooks = true;
    assert_eq!(App::start_with(options).await.post(LIVE, "/v1/webhooks", &body).await.status, 201);
}

#[tokio::test]
async fn deliveries_are_listed_and_can_be_made_again() {
    let app = App::start().await;
    let (path, reply, _) = created(&app).await;
    let endpoint = reply["id"].as_str().unwrap().parse().unwrap();
    let message = envelope().sms().build();
    let first = hermes_domain::cascade::begin(&message, message.created_at).next;
    let entry = |sequence: u16| OutboxEntry {
        endpoint,
        event: message.id.event_id(sequence),
        message: Some(message.id),
        event_type: "message.delivered",
        body: "{}".into(),
        created_at: START.plus_s(sequence.into()),
    };
    let commit = Commit { outbox: (0..3).map(entry).collect(), ..Commit::of(&message, &first, None) };
    app.backend.commit(commit).await.unwrap();
    let update = |sequence: u16, status, code| DeliveryUpdate {
        endpoint,
        event: message.id.event_id(sequence),
        at: START,
        status,
        attempts: 1,
        next_at: UnixMillis(0),
        last_status: Some(code),
        last_error: None,
    };
    let updates = vec![update(0, DeliveryStatus::Delivered, 200), update(1, DeliveryStatus::Failed, 500)];
    app.backend.record(updates).await.unwrap();

    let list = app.get(LIVE, &format!("{path}/deliveries?limit=2")).await.json();
    let shown: Vec<_> = list["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["status"].clone(), one["last_status"].clone()))
        .collect();
    assert_eq!(shown, [(json!("pending"), Value::Null), (json!("failed"), json!(500))]);
    let cursor = list["next_cursor"].as_str().unwrap();
    let rest = app.get(LIVE, &format!("{path}/deliveries?limit=2&cursor={cursor}")).await.json();
    assert_eq!((&rest["data"][0]["status"], &rest["has_more"]), (&json!("delivered"), &json!(false)));

    let since = START.rfc3339();
    let redeliver = |query: &str| Call::new("POST", format!("{path}/redeliver?{query}")).key(LIVE);
    let counted = app.call(redeliver(&format!("since={since}&dry_run=true"))).await.json();
    assert_eq!(counted, json!({ "count": 2, "dry_run": true, "next_since": null }));
    assert_eq!(*app.notifier.asked.lock(), []);
    assert_eq!(
        app.call(redeliver(&format!("since={since}"))).await.json(),
        json!({ "count": 2, "dry_run": false, "next_since": null })
    );
    assert_eq!(*app.notifier.asked.lock(), [endpoint], "its actor need not wait for the next look");
    let again = app.get(LIVE, &format!("{path}/deliveries")).await.json();
    assert!(again["data"].as_array().unwrap().iter().all(|one| one["status"] == "pending"), "{again}");
    assert_eq!(app.call(redeliver("")).await.code(), "parameter_invalid");

    let event = message.id.event_id(1);
    let both = format!("since={since}&event_id={event}");
    assert_eq!(app.call(redeliver(&both)).await.code(), "parameter_invalid");
    assert_eq!(app.call(redeliver("event_id=msg_1")).await.code(), "parameter_invalid");
    assert_eq!(app.call(redeliver(&format!("event_id={}", message.id.event_id(99)))).await.status, 404);
    for _ in 0..2 {
        let one = app.call(redeliver(&format!("event_id={event}"))).await.json();
        assert_eq!(one["count"], 1, "pending or not");
    }
}

#[tokio::test]
async fn an_endpoint_says_why_it_is_disabled_and_starts_afresh_when_it_is_enabled() {
    let app = App::start().await;
    let (path, reply, etag) = created(&app).await;
    let endpoint = reply["id"].as_str().unwrap().parse().unwrap();
    assert_eq!(reply["disabled_reason"], Value::Null);
    let message = envelope().sms().build();
    let entry = OutboxEntry {
        endpoint,
        event: message.id.event_id(1),
        message: Some(message.id),
        event_type: "message.delivered",
        body: "{}".into(),
        created_at: START,
    };
    let failed = DeliveryUpdate {
        endpoint,
        event: entry.event,
        at: START,
        status: DeliveryStatus::Pending,
        attempts: 7,
        next_at: START.plus_s(50_000),
        last_status: Some(500),
        last_error: None,
    };
    app.backend.owe(vec![entry]).await.unwrap();
    app.backend.record(vec![failed.clone()]).await.unwrap();
    let patch = |tag: &str, body: Value| {
        Call::new("PATCH", path.clone()).key(LIVE).json(&body).header("if-match", tag)
    };
    let nulls = app.call(patch(&etag, json!({ "url": null, "disabled": null, "description": null }))).await;
    assert_eq!((nulls.status, nulls.pointers()), (422, vec!["/url".to_owned(), "/disabled".to_owned()]));
    let off = app.call(patch(&etag, json!({ "disabled": true }))).await;
    assert_eq!(off.json()["disabled_reason"], "requested");
    assert!(app.backend.failures(endpoint).await.unwrap().is_some());
    let on = app.call(patch(off.header("etag").unwrap(), json!({ "disabled": false }))).await;
    assert_eq!(
        (on.json()["disabled"].clone(), on.json()["disabled_reason"].clone()),
        (json!(false), Value::Null)
    );
    assert_eq!(app.backend.failures(endpoint).await.unwrap(), None);
    let waiting = app.backend.pending(endpoint, 9).await.unwrap();
    assert!(waiting[0].attempts == 0 && waiting[0].next_at < failed.next_at, "{waiting:?}");

    app.backend.record(vec![failed.clone()]).await.unwrap();
    let same = app.call(patch(on.header("etag").unwrap(), json!({ "description": "ours still" }))).await;
    assert!(app.backend.failures(endpoint).await.unwrap().is_some(), "a description changes nothing");
    let moved = json!({ "url": "https://example.com/elsewhere" });
    assert_eq!(app.call(patch(same.header("etag").unwrap(), moved)).await.status, 200);
    assert_eq!(app.backend.failures(endpoint).await.unwrap(), None);
}

#[tokio::test]
async fn ports_of_other_protocols_are_refused() {
    let app = App::start().await;
    for (port, status) in [(443, 201), (8443, 201), (25, 422), (22, 422), (6667, 422)] {
        let body = json!({ "url": format!("https://example.com:{port}/hook") });
        assert_eq!(app.post(LIVE, "/v1/webhooks", &body).await.status, status, "{port}");
    }
}
