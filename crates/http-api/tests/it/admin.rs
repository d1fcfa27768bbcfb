//! Tenants, keys, actors, explanations.

use hermes_testkit::tenant;
use serde_json::json;

use crate::{
    app::{ADMIN, App, sms},
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
