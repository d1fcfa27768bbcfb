//! The Messages API.

use hermes_simulator::{Accounts, demo};
use reqwest::Method;
use serde_json::{Value, json};

use super::{claims, message, message_request, now_s, specs, token};
use crate::{
    receiver::Receiver,
    sim::{Answer, Sim, answer},
};

/// HTTP status, end of the type, and names of invalid parameters.
fn problem(answer: &Answer) -> (u16, String, Vec<String>) {
    let body = answer.json();
    specs::messages_answer(answer.status.as_u16(), &body);
    assert_eq!(
        (answer.header("content-type"), body["instance"].as_str().unwrap().len()),
        ("application/json", 32)
    );
    let kind = body["type"].as_str().unwrap().rsplit('#').next().unwrap().to_owned();
    let names = body["invalid_parameters"].as_array().into_iter().flatten();
    (answer.status.as_u16(), kind, names.map(|one| one["name"].as_str().unwrap().to_owned()).collect())
}

#[tokio::test]
async fn an_applications_message_is_accepted_and_told_about() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let request = json!({
        "message_type": "text", "channel": "sms", "to": "4520123456", "from": "447700900001",
        "text": "ш".repeat(71), "client_ref": "msg_1.1", "ttl": 3600, "webhook_version": "v1",
        "webhook_url": receiver.url("/r?x=1"), "sms": { "encoding_type": "auto" },
    });
    specs::messages_request(&request);
    let sent = message(&sim, &request).await;
    assert_eq!(sent.status, 202);
    specs::messages_answer(202, &sent.json());

    let received = receiver.next().await;
    assert_eq!((&received.method, received.uri.to_string()), (&Method::POST, "/r?x=1".into()));
    assert_eq!(received.header("content-type"), "application/json");
    let status = received.json();
    specs::messages_status(&status);
    let expected = json!({
        "message_uuid": sent.json()["message_uuid"], "to": "4520123456", "from": "447700900001",
        "timestamp": status["timestamp"], "status": "delivered", "client_ref": "msg_1.1", "channel": "sms",
        "usage": { "currency": "EUR", "price": "0.0666" }, "destination": { "network_code": "23410" },
        "sms": { "count_total": "2" },
    });
    assert_eq!(status, expected);
    let claims = claims(&received);
    assert_eq!((&claims["iss"], &claims["api_key"]), (&"Vonage".into(), &"abcd1234".into()));
    assert_eq!(claims["application_id"], "aaaaaaaa-bbbb-cccc-dddd-0123456789ab");
    assert!(claims["iat"].as_u64().unwrap().abs_diff(now_s()) < 60);
    assert_eq!(claims["jti"].as_str().unwrap().len(), 36);
    assert_eq!(sim.get("/sim/requests").await.json()["counts"], json!({ "msg_1.1": 1 }));
}

#[tokio::test]
async fn key_and_secret_send_without_callbacks() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let account = demo::vonage();
    let request =
        message_request(&sim, &json!({ "to": "4520129912", "webhook_url": receiver.url("/basic") }));
    let sent = answer(request.basic_auth(&account.api_key, Some(&account.api_secret))).await;
    assert_eq!(sent.status, 202, "{}", sent.body);
    message(&sim, &json!({ "webhook_url": receiver.url("/application?ref=msg_1.1") })).await;
    assert_eq!(receiver.next().await.uri.to_string(), "/application?ref=msg_1.1");
    assert_eq!(sim.no_receipt_waits().await["delivered"], 1);
    assert_eq!(sim.get("/sim/requests").await.json()["counts"], json!({ "msg_1.1": 1 }));
}

#[tokio::test]
async fn callbacks_go_to_the_message_or_the_application() {
    let mut receiver = Receiver::start().await;
    let mut account = demo::vonage();
    let application = account.application.as_mut().unwrap();
    application.status_url = Some(receiver.url("/status").parse().unwrap());
    application.inbound_url = Some(receiver.url("/inbound").parse().unwrap());
    let accounts = Accounts { vonage: vec![account], ..Accounts::default() };
    let sim = Sim::start_with(|options| options.accounts = accounts).await;
    message(&sim, &json!({ "to": "4520129912" })).await;
    assert_eq!(receiver.next().await.uri.to_string(), "/status");
    let stop = receiver.next().await;
    assert_eq!(stop.uri.to_string(), "/inbound");
    specs::messages_inbound(&stop.json());
    claims(&stop);
    message(&sim, &json!({ "webhook_url": receiver.url("/own") })).await;
    assert_eq!(receiver.next().await.uri.to_string(), "/own");
}

#[tokio::test]
async fn bad_logins_are_refused() {
    let sim = Sim::start().await;
    let account = demo::vonage();
    let request = || message_request(&sim, &json!({}));
    let expired = json!({ "iat": now_s() - 1000, "exp": now_s() - 100 });
    for (request, kind) in [
        (request(), "unauthorized"),
        (request().basic_auth(&account.api_key, Some("wrong")), "unauthorized"),
        (request().basic_auth("other000", Some(&account.api_secret)), "unauthorized"),
        (request().bearer_auth("no token"), "unauthorized"),
        (request().bearer_auth(token(&json!({ "application_id": "unknown" }))), "unauthorized"),
        (request().bearer_auth(token(&json!({ "jti": null }))), "unauthorized"),
        (
            request().bearer_auth(token(&json!({ "iat": now_s() + 600, "exp": now_s() + 900 }))),
            "unauthorized",
        ),
        (request().bearer_auth(format!("{}x", token(&json!({})))), "unauthorized"),
        (request().bearer_auth(token(&expired)), "jwt-expired"),
    ] {
        assert_eq!(problem(&answer(request).await), (401, kind.into(), Vec::new()));
    }
    assert_eq!(sim.get("/sim/requests").await.json()["totals"], json!({ "received": 9, "processed": 0 }));
}

#[tokio::test]
async fn bad_bodies_are_refused_with_the_names_of_what_is_wrong() {
    let sim = Sim::start().await;
    let raw = |content_type: &'static str, body: &'static str| {
        let request = sim.request(Method::POST, "/v1/messages").header("content-type", content_type);
        request.bearer_auth(token(&json!({}))).body(body)
    };
    for body in ["{\"text\": \"hush", "[]", "", "\"x\""] {
        let refused = answer(raw("application/json", body)).await;
        assert_eq!(problem(&refused), (422, "invalid-json".into(), Vec::new()), "{body}");
        assert!(!refused.body.contains("hush"), "no content in errors");
    }
    assert_eq!(answer(raw("text/plain", "{}")).await.status, 415);

    let wrong =
        json!({ "to": "+4520123456", "from": "waytoolongsender", "text": 7, "client_ref": "msg_1.1" });
    let refused = message(&sim, &wrong).await;
    let names = ["to", "from", "text"].map(str::to_owned).to_vec();
    assert_eq!(problem(&refused), (422, "1150".into(), names));
    let entry = sim.get("/sim/requests?limit=1").await.json()["data"][0].clone();
    assert_eq!((&entry["reference"], &entry["recipient_tail"]), (&"msg_1.1".into(), &"3456".into()));
    let missing = answer(raw("application/json", "{}")).await;
    assert_eq!(problem(&missing).2, ["message_type", "channel", "to", "from", "text"]);
}

#[tokio::test]
async fn an_undelivered_message_is_rejected_with_its_reason() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    message(&sim, &json!({ "to": "4520129901", "webhook_url": receiver.url("/r") })).await;
    let received = receiver.next().await;
    let status = received.json();
    specs::messages_status(&status);
    claims(&received);
    assert_eq!((&status["status"], &status["error"]["title"]), (&"rejected".into(), &"1190".into()));
    assert_eq!((&status["usage"], &status["client_ref"]), (&Value::Null, &Value::Null));
}
