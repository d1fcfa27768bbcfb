//! Twilio: strictness, answers, callbacks and lookups.

use base64::{Engine, engine::general_purpose::STANDARD};
use hermes_simulator::demo;
use reqwest::Method;
use ring::hmac;

use crate::{
    receiver::Receiver,
    sim::{Sim, answer},
    specs,
};

fn path(rest: &str) -> String {
    format!("/2010-04-01/Accounts/{}{rest}", demo::twilio().account_sid)
}

#[tokio::test]
async fn bad_credentials_are_refused_in_twilios_words() {
    let sim = Sim::start().await;
    let sid = demo::twilio().account_sid;
    for request in [
        sim.request(Method::POST, &path("/Messages.json")),
        sim.request(Method::POST, &path("/Messages.json")).basic_auth(&sid, Some("wrong")),
        sim.request(Method::GET, &path(".json")).bearer_auth("x"),
    ] {
        let answer = answer(request).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.header("www-authenticate"), "Basic realm=\"Twilio API\"");
        let expected = serde_json::json!({
            "code": 20003, "message": "Authenticate", "status": 401,
            "more_info": "https://www.twilio.com/docs/errors/20003",
        });
        assert_eq!(answer.json(), expected);
    }
}

#[tokio::test]
async fn wrong_paths_methods_and_bodies_are_refused() {
    let sim = Sim::start().await;
    let account = demo::twilio();
    let other = "/2010-04-01/Accounts/AC00000000000000000000000000000002/Messages.json";
    let other = sim.request(Method::POST, other).basic_auth(&account.account_sid, Some(&account.auth_token));
    let other = answer(other).await;
    assert_eq!((other.status.as_u16(), other.json()["code"].clone()), (404, 20404.into()));

    let method = answer(sim.twilio(Method::PUT, "/Messages.json")).await;
    assert_eq!((method.status.as_u16(), method.json()["code"].clone()), (405, 20004.into()));

    let json = sim.twilio(Method::POST, "/Messages.json").header("content-type", "application/json");
    let json = answer(json.body(r#"{"To":"+4520123456","From":"ACME","Body":"hi"}"#)).await;
    assert_eq!((json.status.as_u16(), json.json()["code"].clone()), (400, 21604.into()));

    let large = sim.twilio(Method::POST, "/Messages.json").body("x".repeat(300 * 1024));
    assert_eq!(answer(large).await.status, 413);

    let missing = sim.twilio_form(&[("To", "+4520123456"), ("From", "ACME")]).await;
    assert_eq!(missing.json()["code"], 21602);
    let magic = sim.twilio_form(&[("To", "+15005550009"), ("From", "ACME"), ("Body", "x")]).await;
    assert_eq!(magic.json()["code"], 21614);
}

#[tokio::test]
async fn an_accepted_message_matches_the_published_schema_and_is_found_again() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    let sent = sim.sms("+4520123456", &receiver.url("/r?ref=msg_1.1")).await;
    assert_eq!(sent.status, 201);
    let message = sent.json();
    specs::twilio_message(&message);
    assert_eq!((&message["status"], &message["num_segments"]), (&"queued".into(), &"1".into()));
    let sid = message["sid"].as_str().unwrap();

    receiver.next().await;
    let found = answer(sim.twilio(Method::GET, &format!("/Messages/{sid}.json"))).await.json();
    specs::twilio_message(&found);
    assert_eq!(found["status"], "delivered");

    let search = "/Messages.json?To=%2B4520123456&From=ACME&DateSent>=2026-01-02&PageSize=1";
    let page = answer(sim.twilio(Method::GET, search)).await.json();
    specs::twilio_page(&page);
    assert_eq!(page["messages"], serde_json::json!([found]));
    assert!(page["next_page_uri"].is_null());
    let nothing = answer(sim.twilio(Method::GET, "/Messages.json?To=%2B4520000000")).await.json();
    assert_eq!(nothing["messages"], serde_json::json!([]));
    assert_eq!(answer(sim.twilio(Method::GET, "/Messages/SM1.json")).await.status, 404);
}

#[tokio::test]
async fn an_api_key_logs_in_and_a_messaging_service_answers_accepted() {
    let sim = Sim::start().await;
    let account = demo::twilio();
    let request = sim.request(Method::POST, &path("/Messages.json"));
    let request = request.basic_auth(account.api_key_sid.unwrap(), account.api_key_secret);
    let request = request.header("content-type", "application/x-www-form-urlencoded; charset=UTF-8");
    let body = "To=%2B4520123456&MessagingServiceSid=MG00000000000000000000000000000001&Body=hi";
    let message = answer(request.body(body)).await.json();
    specs::twilio_message(&message);
    assert_eq!((&message["status"], &message["num_segments"]), (&"accepted".into(), &"0".into()));

    let health = answer(sim.twilio(Method::GET, ".json")).await;
    assert_eq!((health.status.as_u16(), health.json()["status"].clone()), (200, "active".into()));
}

#[tokio::test]
async fn callbacks_are_signed_over_the_url_as_it_was_given() {
    let sim = Sim::start().await;
    let mut receiver = Receiver::start().await;
    // Parsing would turn this into `/b?...`; the signature is over what the caller wrote.
    let url = receiver.url("/a/../b?ref=msg_1.1&x=%7e");
    let sid = sim.sms("+4520129901", &url).await.json()["sid"].as_str().unwrap().to_owned();
    let receipt = receiver.next().await;
    assert_eq!(receipt.uri.path(), "/b");
    assert!(receipt.header("content-type").starts_with("application/x-www-form-urlencoded"));
    let form = receipt.form();
    let mut signed = url;
    for (name, value) in &form {
        signed.extend([name.as_str(), value]);
    }
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, demo::twilio().auth_token.as_bytes());
    assert_eq!(receipt.header("x-twilio-signature"), STANDARD.encode(hmac::sign(&key, signed.as_bytes())));
    assert_eq!(form["MessageSid"], sid);
    assert_eq!((&*form["MessageStatus"], &*form["ErrorCode"]), ("undelivered", "30005"));
    assert_eq!(form["RawDlrDoneDate"].len(), 10);
}
