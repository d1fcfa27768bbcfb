//! Acknowledgements by tenants and by apps.

use hermes_testkit::message_id;
use serde_json::json;

use crate::{
    app::{App, LIVE, sms, with},
    client::Call,
};

fn push() -> serde_json::Value {
    let body = with(sms(), "/to", json!({ "push": [{ "token": "t" }] }));
    with(body, "/cascade", json!({ "steps": [{ "channel": "push", "success_on": "acknowledged" }] }))
}

#[tokio::test]
async fn a_tenant_s_acknowledgement_delivers_and_may_be_repeated() {
    let app = App::start().await;
    let id = app.message(&push()).await;
    let ack = || Call::new("POST", format!("/v1/messages/{id}/ack")).key(LIVE);
    let early = app.call(ack()).await;
    assert_eq!((early.status, early.code()), (409, "conflict".into()));
    app.accepted(id, "projects/1").await;
    for _ in 0..2 {
        let answer = app.call(ack()).await;
        assert_eq!((answer.status, answer.json()["status"].clone()), (200, json!("delivered")));
        assert_eq!(answer.json()["attempts"][0]["status"], "acknowledged");
    }
}

#[tokio::test]
async fn an_app_acknowledges_with_its_token_and_learns_nothing() {
    let app = App::start().await;
    let id = app.message(&push()).await;
    app.accepted(id, "projects/1").await;
    let token = app.directory.ack_tokens().token(id);
    let answer = app.call(Call::new("POST", format!("/v1/ack/{token}"))).await;
    assert_eq!((answer.status, answer.json()), (200, json!({ "status": "acknowledged" })));
    assert!(answer.header("ratelimit").is_some() && answer.header("ratelimit-policy").is_some());
    assert_eq!(app.get(LIVE, &format!("/v1/messages/{id}")).await.json()["status"], "delivered");
    let unknown = app.directory.ack_tokens().token(message_id(1));
    assert_eq!(app.call(Call::new("POST", format!("/v1/ack/{unknown}"))).await.status, 404);
}
