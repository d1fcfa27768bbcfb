//! Vonage: both ways to send, what comes back, and the report of what was sent.

mod endings;
mod messages;
mod records;
mod sms;
mod specs;

use std::{collections::BTreeMap, time::SystemTime};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hermes_simulator::demo;
use reqwest::{Method, RequestBuilder};
use ring::{digest, hmac};
use serde_json::{Value, json};

use crate::{
    receiver::Received,
    sim::{Answer, Sim, answer, rsa_sha256},
};

fn now_s() -> u64 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
}

/// A form to the SMS API, as it is.
fn raw_form(sim: &Sim, fields: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    sim.request(Method::POST, "/sms/json")
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body)
}

/// The same with the demo account's key and secret.
fn form_request(sim: &Sim, fields: &[(&str, &str)]) -> RequestBuilder {
    let account = demo::vonage();
    let login = [("api_key", &*account.api_key), ("api_secret", &*account.api_secret)];
    raw_form(sim, &[&login[..], fields].concat())
}

async fn form(sim: &Sim, fields: &[(&str, &str)]) -> Answer {
    answer(form_request(sim, fields)).await
}

/// Status and error text of the first message of an SMS API answer.
fn first(answer: &Answer) -> (String, String) {
    let message = &answer.json()["messages"][0];
    let text = |name: &str| message[name].as_str().unwrap_or_default().to_owned();
    (text("status"), text("error-text"))
}

/// A token of the demo application, with some claims replaced.
fn token(changes: &Value) -> String {
    let mut claims = json!({
        "application_id": demo::vonage().application.unwrap().id,
        "iat": now_s(), "exp": now_s() + 900, "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
    });
    for (name, value) in changes.as_object().unwrap() {
        claims[name] = value.clone();
    }
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&json!({ "alg": "RS256", "typ": "JWT" })), part(&claims));
    let signature = rsa_sha256(demo::VONAGE_PRIVATE_KEY, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// A message to the Messages API that has not logged in.
fn message_request(sim: &Sim, changes: &Value) -> RequestBuilder {
    let mut body = json!({
        "message_type": "text", "channel": "sms", "to": "4520123456", "from": "447700900001", "text": "Hello",
    });
    for (name, value) in changes.as_object().unwrap() {
        body[name] = value.clone();
    }
    let request = sim.request(Method::POST, "/v1/messages").header("content-type", "application/json");
    request.body(body.to_string())
}

/// The same as the demo application.
async fn message(sim: &Sim, changes: &Value) -> Answer {
    answer(message_request(sim, changes).bearer_auth(token(&json!({})))).await
}

/// The claims of a callback's token, which must be signed with the demo account's signature secret and vouch
/// for the body.
fn claims(received: &Received) -> Value {
    let token = received.header("authorization").strip_prefix("Bearer ").unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, demo::vonage().signature_secret.as_bytes());
    hmac::verify(&key, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).unwrap()).unwrap();
    let parts: Vec<Value> = signed
        .split('.')
        .map(|part| serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap())
        .collect();
    let [header, claims] = &parts[..] else { panic!("{signed}") };
    assert_eq!(*header, json!({ "alg": "HS256", "typ": "JWT" }));
    assert_eq!(claims["payload_hash"], hex::encode(digest::digest(&digest::SHA256, &received.body)));
    claims.clone()
}

/// Checks the signature of a report made with HMAC and SHA-256, and returns its parameters.
fn verified(mut parameters: BTreeMap<String, String>) -> BTreeMap<String, String> {
    let sig = parameters.remove("sig").expect("a signature");
    let text: String = parameters
        .iter()
        .map(|(name, value)| format!("&{name}={}", value.replace(['&', '='], "_")))
        .collect();
    let key = hmac::Key::new(hmac::HMAC_SHA256, demo::vonage().signature_secret.as_bytes());
    assert_eq!(sig, hex::encode_upper(hmac::sign(&key, text.as_bytes())));
    assert!(parameters["timestamp"].parse::<u64>().unwrap().abs_diff(now_s()) < 60);
    assert_eq!(parameters["nonce"].len(), 36);
    parameters
}

/// The members of a JSON object of texts.
fn texts(body: &Value) -> BTreeMap<String, String> {
    let members = body.as_object().unwrap().iter();
    members.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect()
}
