//! Tenants, keys, actors, explanations.

use hermes_domain::{cascade::MessageStatus, message::Mode};
use hermes_ports::{CascadeStore as _, actor_tree::ParkedMessage};
use hermes_testkit::{START, tenant};
use serde_json::json;

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, sms},
    client::Call,
};

#[tokio::test]
async fn a_tenant_is_made_given_a_key_and_sends() {
    let app = App::start().await;
    let body =
        json!({ "name": "Acme", "default_cascade": { "steps": [{ "channel": "sms", "timeout_s": 30 }] } });
    let made = app.post(ADMIN, "/admin/v1/tenants", &body).await;
    assert_eq!(made.status, 201, "{}", made.text);
    let path = made.header("location").unwrap().to_owned();
    let key = app
        .post(ADMIN, &format!("{path}/keys"), &json!({ "name": "ci", "mode": "live", "scopes": ["send"] }))
        .await
        .json();
    let secret = key["key"].as_str().unwrap();
    let mut message = sms();
    message.as_object_mut().unwrap().remove("cascade");
    let sent = app.post(secret, "/v1/messages", &message).await;
    assert_eq!((sent.status, &sent.json()["plan"][0]["timeout_s"]), (202, &json!(30)), "{}", sent.text);
    let keys = app.get(ADMIN, &format!("{path}/keys")).await;
    assert_eq!((&keys.json()["data"][0]["id"], keys.text.contains(secret)), (&key["id"], false));

    let renamed = app
        .call(Call::new("PATCH", path.clone()).key(ADMIN).json(&json!({ "name": "Acme Inc" })))
        .await
        .json();
    assert_eq!(
        (&renamed["name"], &renamed["default_cascade"]),
        (&json!("Acme Inc"), &body["default_cascade"])
    );
    assert_eq!(app.get(ADMIN, "/admin/v1/tenants?limit=1").await.json()["data"][0]["name"], "Acme Inc");
}

#[tokio::test]
async fn a_default_cascade_can_be_taken_away() {
    let app = App::start().await;
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let change = |body: serde_json::Value| app.call(Call::new("PATCH", path.clone()).key(ADMIN).json(&body));
    assert!(change(json!({ "name": "still" })).await.json()["default_cascade"].is_object());
    assert!(change(json!({ "default_cascade": null })).await.json()["default_cascade"].is_null());
}

#[tokio::test]
async fn a_tenant_goes_with_all_that_is_its_own_and_nothing_else() {
    let app = App::start().await;
    let (own, webhook) = (tenant(1), json!({ "url": "https://example.com/a" }));
    app.post(LIVE, "/v1/webhooks", &webhook).await;
    app.post(LIVE, "/v1/cascades", &json!({ "name": "c", "steps": [{ "channel": "sms" }] })).await;
    app.post(OTHER, "/v1/webhooks", &webhook).await;
    let path = format!("/admin/v1/tenants/{own}");
    let delete = || app.call(Call::new("DELETE", path.clone()).key(ADMIN));
    let stale = app.call(Call::new("DELETE", path.clone()).key(ADMIN).header("if-match", "\"9\"")).await;
    assert_eq!(stale.code(), "version_conflict");
    assert_eq!(delete().await.status, 204);
    assert_eq!(
        (app.get(LIVE, "/v1/status").await.status, app.get(TEST, "/v1/status").await.status),
        (401, 401)
    );
    assert_eq!((app.get(ADMIN, &path).await.status, delete().await.status), (404, 404));
    app.directory.reload().await.unwrap();
    let left = app.directory.snapshot();
    assert_eq!((left.keys_of(Some(own)).len(), left.cascades_of(own, Mode::Live).len()), (0, 0));
    assert!(left.endpoints().all(|entry| entry.endpoint.tenant == tenant(2)));
    assert_eq!((left.endpoints().count(), left.connections().count()), (1, 4));
    assert_eq!(app.get(OTHER, "/v1/status").await.status, 200);
}

#[tokio::test]
async fn messages_on_their_way_keep_a_tenant_unless_it_is_suspended_and_are_then_cancelled() {
    let app = App::start().await;
    let waiting = app.message(&sms()).await;
    let sent = app.message(&sms()).await;
    app.accepted(sent, "SM1").await;
    let test = app.post(TEST, "/v1/messages", &sms()).await.json();
    let path = format!("/admin/v1/tenants/{}", tenant(1));
    let delete = || app.call(Call::new("DELETE", path.clone()).key(ADMIN));
    let refused = delete().await;
    assert_eq!((refused.status, refused.code()), (409, "conflict".into()));
    assert_eq!(app.get(LIVE, "/v1/status").await.json()["suspended"], false, "a refusal changes nothing");
    app.post(ADMIN, &format!("{path}/suspend"), &json!({})).await;
    assert_eq!(delete().await.status, 204);
    let test = test["id"].as_str().unwrap().parse().unwrap();
    for id in [waiting, test] {
        let state = app.backend.load(id).await.unwrap().unwrap().state;
        assert_eq!(state.status(), MessageStatus::Cancelled);
    }
    let state = app.backend.load(sent).await.unwrap().unwrap().state;
    assert!(!state.status().is_terminal() && state.cancel_requested, "what was sent waits for its receipt");
}

#[tokio::test]
async fn wrong_tenants_and_keys_are_refused() {
    let app = App::start().await;
    let answer = app.post(ADMIN, "/admin/v1/tenants", &json!({ "default_cascade": { "steps": [] } })).await;
    assert_eq!(
        (answer.status, answer.pointers()),
        (422, vec!["/name".into(), "/default_cascade/steps".into()])
    );
    let path = format!("/admin/v1/tenants/{}/keys", tenant(1));
    let answer = app.post(ADMIN, &path, &json!({ "name": "x", "mode": "prod", "scopes": ["all"] })).await;
    assert_eq!((answer.status, answer.pointers()), (422, vec!["/mode".into(), "/scopes/0".into()]));
    let nobody = format!("/admin/v1/tenants/{}/keys", tenant(99));
    assert_eq!(app.post(ADMIN, &nobody, &json!({ "name": "x", "mode": "live" })).await.status, 404);
}

#[tokio::test]
async fn the_tree_is_shown_and_an_actor_can_be_ended() {
    let app = App::start().await;
    let tree = app.get(ADMIN, "/admin/v1/actors").await.json();
    assert_eq!(tree["data"][1]["parent"], "root");
    for id in ["cascade/msg_1", "cascade%2Fmsg_1"] {
        assert_eq!(app.get(ADMIN, &format!("/admin/v1/actors/{id}")).await.json()["kind"], "cascade");
        let killed = app
            .call(Call::new("POST", format!("/admin/v1/actors/{id}/kill")).key(ADMIN).json(&json!({})))
            .await;
        assert_eq!((killed.status, killed.json()), (202, json!({ "id": "cascade/msg_1", "killed": true })));
    }
    assert_eq!(app.actors.killed.lock().len(), 2);
    assert_eq!(app.call(Call::new("POST", "/admin/v1/actors/nobody/kill").key(ADMIN)).await.status, 404);
    assert_eq!(app.call(Call::new("POST", "/admin/v1/actors/root").key(ADMIN)).await.status, 404);
}

#[tokio::test]
async fn an_operator_learns_what_a_message_waits_for_but_not_what_it_says() {
    let app = App::start().await;
    let id = app.message(&sms()).await;
    app.accepted(id, "SM1").await;
    let explained = app.get(ADMIN, &format!("/admin/v1/cascades/{id}")).await;
    let reply = explained.json();
    assert_eq!(
        (&reply["phase"], &reply["waiting_for"]["what"]),
        (&json!("awaiting_receipt"), &json!("receipt"))
    );
    assert_eq!(
        (&reply["waiting_for"]["then"], &reply["candidates"][0]["name"]),
        (&json!("the message ends"), &json!("twilio"))
    );
    assert!(reply["candidates"][0]["because"].as_str().unwrap().contains("its last attempt: accepted"));
    assert!(!explained.text.contains("4520123456") && !explained.text.contains("shipped"));
}

#[tokio::test]
async fn parked_messages_are_counted_listed_and_run_again() {
    let app = App::start().await;
    assert_eq!(app.get(ADMIN, "/admin/v1/parked").await.json(), json!({ "count": 0, "data": [] }));
    let id = app.message(&sms()).await;
    let other = app.message(&sms()).await;
    let reason = "panicked: a broken invariant".to_owned();
    let parked = ParkedMessage { id, tenant: tenant(1), reason, failures: 5, since: START };
    app.actors.parked.lock().push(parked);
    let list = app.get(ADMIN, "/admin/v1/parked").await.json();
    let (message, whose) = (id.to_string(), tenant(1).to_string());
    assert_eq!(
        list,
        json!({ "count": 1, "data": [{ "message_id": message, "tenant_id": whose, "failures": 5,
            "reason": "panicked: a broken invariant", "since": START.rfc3339() }] })
    );
    let retry =
        async |id: &str| app.call(Call::new("POST", format!("/admin/v1/parked/{id}/retry")).key(ADMIN)).await;
    assert_eq!(retry(&other.to_string()).await.status, 404, "it is not parked");
    assert_eq!(retry("msg_x").await.status, 404);
    assert_eq!(retry(&message).await.status, 202);
    assert_eq!(app.get(ADMIN, "/admin/v1/parked").await.json()["count"], 0);
    assert_eq!(retry(&message).await.status, 404);
}
