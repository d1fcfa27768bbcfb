//! The DNC layer: suppressed addresses leave the plan.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    app::{ADMIN, App, LIVE, OTHER, TEST, sms, with},
    client::Call,
};

async fn suppress(app: &App, body: &Value) -> String {
    let answer = app.post(LIVE, "/v1/suppressions", body).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    answer.json()["id"].as_str().unwrap().to_owned()
}

fn sms_then_email() -> Value {
    let to = json!({ "phone": "+4520123456", "email": "Ada@Example.com" });
    let steps = json!([{ "channel": "whatsapp" }, { "channel": "sms" }, { "channel": "email" }]);
    with(with(sms(), "/to", to), "/cascade/steps", steps)
}

fn channels(reply: &Value) -> Vec<&str> {
    reply["plan"].as_array().unwrap().iter().map(|step| step["channel"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_suppressed_step_leaves_the_plan_with_a_warning() {
    let app = App::start().await;
    let id =
        suppress(&app, &json!({ "address": "+4520123456", "channel": "sms", "reason": "opt_out" })).await;
    let reply = app.post(LIVE, "/v1/messages", &sms_then_email()).await.json();
    assert_eq!(channels(&reply), ["email"]);
    let warnings = reply["warnings"].as_array().unwrap();
    let codes: Vec<_> = warnings.iter().map(|warning| (&warning["code"], &warning["pointer"])).collect();
    let expected = [
        (&json!("no_connection"), &json!("/cascade/steps/0")),
        (&json!("recipient_suppressed"), &json!("/cascade/steps/1")),
    ];
    assert_eq!(codes, expected);
    assert!(warnings[1]["detail"].as_str().unwrap().contains(&id), "{warnings:?}");
    assert!(!warnings[1]["detail"].as_str().unwrap().contains("+45"), "{warnings:?}");
}

#[tokio::test]
async fn a_message_whose_every_step_is_suppressed_is_refused_and_leaves_nothing() {
    let app = App::start().await;
    suppress(&app, &json!({ "prefix": "+4520" })).await;
    let domain = suppress(&app, &json!({ "domain": "example.com" })).await;
    let refused = app.post(LIVE, "/v1/messages", &sms_then_email()).await;
    assert_eq!((refused.status, refused.code()), (422, "recipient_suppressed".into()));
    assert_eq!(refused.json()["layer"], "dnc");
    assert_eq!(refused.pointers(), ["/cascade/steps/1", "/cascade/steps/2"]);
    assert_eq!(app.get(LIVE, "/v1/messages").await.json()["data"], json!([]));
    let validation = app.post(LIVE, "/v1/messages/validate", &sms_then_email()).await.json();
    assert_eq!((&validation["valid"], &validation["refusals"][0]["layer"]), (&json!(false), &json!("dnc")));
    let batch = app.post(LIVE, "/v1/batches", &json!({ "messages": [sms_then_email()] })).await;
    assert!(batch.text.contains("recipient_suppressed"), "{}", batch.text);
    let lifted = app.call(Call::new("DELETE", format!("/v1/suppressions/{domain}")).key(LIVE)).await;
    assert_eq!(lifted.status, 204);
    assert_eq!(channels(&app.post(LIVE, "/v1/messages", &sms_then_email()).await.json()), ["email"]);
}

#[tokio::test]
async fn rules_of_others_and_rules_that_have_ended_stop_nothing() {
    let app = App::start().await;
    suppress(&app, &json!({ "address": "+4520123456", "expires_at": "2099-01-01T00:00:00Z" })).await;
    assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.code(), "recipient_suppressed");
    assert_eq!(app.post(TEST, "/v1/messages", &sms()).await.status, 202);
    assert_eq!(app.post(OTHER, "/v1/messages", &sms()).await.status, 202);
    app.clock.advance(Duration::from_secs(80 * 366 * 86_400));
    assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.status, 202);
}

#[tokio::test]
async fn a_silenced_sender_stops_nobody_else() {
    let app = App::start().await;
    suppress(&app, &json!({ "address": "+4520123456", "sender": "ACME" })).await;
    let named = |sender: &str| {
        let mut body = sms();
        body["sender"] = json!({ "sms": sender });
        body
    };
    assert_eq!(app.post(LIVE, "/v1/messages", &named("acme")).await.code(), "recipient_suppressed");
    assert_eq!(app.post(LIVE, "/v1/messages", &named("Other")).await.status, 202);
    // Nobody knows which sender these connections use: it may be the silenced one.
    assert_eq!(app.post(LIVE, "/v1/messages", &sms()).await.code(), "recipient_suppressed");
}

#[tokio::test]
async fn a_connection_whose_sender_is_silenced_is_rejected_with_the_reason() {
    let app = App::start().await;
    for (name, from) in [("silenced", "+4520000001"), ("heard", "+4520000002")] {
        let body = json!({
            "provider": "twilio", "name": name, "channel": "sms",
            "credentials": { "account_sid": "AC1", "auth_token": "t" }, "config": { "from": from },
        });
        assert_eq!(app.post(ADMIN, "/admin/v1/providers", &body).await.status, 201);
    }
    suppress(&app, &json!({ "address": "+4520123456", "sender": "+4520000001" })).await;
    let named = with(sms(), "/cascade/steps/0/providers", json!(["silenced", "heard"]));
    let plan = app.post(LIVE, "/v1/messages/validate", &named).await.json()["plan"][0].clone();
    assert_eq!(plan["providers"], json!(["heard"]));
    let considered = plan["considered"].as_array().unwrap();
    let about = |name: &str| considered.iter().find(|one| one["provider"] == name).unwrap();
    assert_eq!(considered[0]["provider"], "heard", "rejected ones come last");
    assert_eq!(about("heard")["verdict"], "taken");
    assert_eq!(
        (&about("silenced")["verdict"], &about("silenced")["reason"]),
        (&json!("rejected"), &json!("recipient_suppressed"))
    );
}

#[tokio::test]
async fn suppressed_push_tokens_leave_the_recipient() {
    let app = App::start().await;
    suppress(&app, &json!({ "address": "token-one", "channel": "push" })).await;
    let body = |tokens: &[&str]| {
        let push: Vec<_> = tokens.iter().map(|token| json!({ "token": token })).collect();
        with(with(sms(), "/to", json!({ "push": push })), "/cascade/steps", json!([{ "channel": "push" }]))
    };
    let id = app.message(&body(&["token-one", "token-two"])).await;
    let stored = hermes_ports::CascadeStore::load(&*app.backend, id).await.unwrap().unwrap();
    let tokens: Vec<_> = stored.envelope.to.push.iter().map(|push| push.token.as_str()).collect();
    assert_eq!(tokens, ["token-two"]);
    assert_eq!(app.post(LIVE, "/v1/messages", &body(&["token-one"])).await.code(), "recipient_suppressed");
}
