//! What Graph and WhatsApp refuse, and what they must not.

use hermes_simulator::{WhatsAppAccount, WhatsAppTemplate, demo};
use reqwest::Method;
use serde_json::{Value, json};

use super::{Phone, error, get, id, path, post, template, text};
use crate::{
    sim::{Sim, answer},
    specs,
};

/// Samples that are not played, or are wrong: a list without its type, and booleans where texts must be.
const NOT_TAKEN: [&str; 3] = [
    "Send typing indicator and read receipt",
    "Send Reply to List Message",
    "Send Sample Issue Resolution Template",
];
/// Samples that Meta's own schemas refuse even when repaired: they know no orders, only some buttons, and want
/// coordinates as texts.
const NOT_DESCRIBED: [&str; 6] = [
    "Send Catalog Template Message",
    "Send Flow Template Message",
    "Send Location Message",
    "Send Order Details Message",
    "Send Order Status Message",
    "Send Reply to Location Message",
];

/// Fills the gaps of a sample.
fn filled(value: &mut Value) {
    match value {
        Value::Object(object) => object.values_mut().for_each(filled),
        Value::Array(items) => items.iter_mut().for_each(filled),
        Value::String(text) if text.contains("http(s)://") => *text = "https://example.com/file".into(),
        Value::String(text) if text == "<HEADER_TYPE>" => *text = "text".into(),
        Value::String(text) if text.starts_with("<MSGID") => *text = "wamid.HBgL".into(),
        // Places of titles are longer than titles may be.
        Value::String(text) if text.starts_with("<LIST_SECTION") || text.starts_with("<SECTION") => {
            text.truncate(16);
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[tokio::test]
async fn every_published_sample_is_taken() {
    let phone = Phone::start().await;
    let samples = specs::whatsapp_samples();
    assert!(samples.len() > 40);
    for (name, mut sample) in samples {
        filled(&mut sample);
        sample["to"] = json!("+16505551234");
        let answered = phone.post(&sample).await;
        if NOT_TAKEN.contains(&&*name) {
            assert_eq!(answered.status, 400, "{name}");
            continue;
        }
        assert_eq!(answered.status, 200, "{name}: {}", answered.body);
        let described = std::panic::catch_unwind(|| specs::whatsapp_request(&sample)).is_ok();
        assert_eq!(described, !NOT_DESCRIBED.contains(&&*name), "{name}");
    }
    specs::whatsapp_request(&text("+16505551234", "msg_1.1"));
    specs::whatsapp_request(&template("+16505551234"));
}

#[tokio::test]
async fn bad_tokens_numbers_paths_and_methods_are_refused() {
    let sim = Sim::start().await;
    let token = demo::whatsapp().access_token;
    let body = text("+16505551234", "msg_1.1").to_string();
    let messages = |path: &str| {
        sim.request(Method::POST, path).header("content-type", "application/json").body(body.clone())
    };
    for (request, expected) in [
        (messages(&path("/messages")), (401, 190)),
        (messages(&path("/messages")).bearer_auth("wrong"), (401, 190)),
        (messages(&path("/messages")).basic_auth(&token, Some("")), (401, 190)),
        (messages("/v23.0/1/messages").bearer_auth(&token), (400, 100)),
        (sim.request(Method::GET, &path("/messages")).bearer_auth(&token), (400, 100)),
        (sim.request(Method::DELETE, &path("")).bearer_auth(&token), (400, 100)),
        (sim.request(Method::GET, &path("/message_history")), (401, 190)),
        (get(&sim, "/nothing"), (400, 2500)),
        (sim.request(Method::GET, "/v23.0/1").bearer_auth(&token), (400, 100)),
    ] {
        let refused = answer(request).await;
        assert_eq!(error(&refused), expected, "{}", refused.body);
        let challenge = refused.header("www-authenticate");
        assert!(challenge.starts_with("OAuth \"Facebook Platform\""), "{challenge}");
    }
    let elsewhere = answer(messages("/v23.0/1/messages").bearer_auth(&token)).await.json();
    assert_eq!(elsewhere["error"]["error_subcode"], 33);
    assert_eq!(elsewhere["error"]["type"], "GraphMethodException");
    // Paths without a Graph version are other providers'.
    assert!(sim.get("/v1/nothing").await.json()["error"]["status"].is_string());
    assert_eq!(sim.get("/nothing").await.json()["code"], 20404);
}

#[tokio::test]
async fn faulty_requests_are_refused_and_counted() {
    let sim = Sim::start().await;
    let with = |name: &str, value: Value| {
        let mut body = text("+16505551234", "msg_1.1");
        body[name] = value;
        body
    };
    for (body, code) in [
        (with("text", json!({ "body": "" })), 131_008),
        (with("text", json!({ "body": "x".repeat(4097) })), 100),
        (with("to", json!("x")), 100),
        (with("type", json!("poem")), 131_051),
        (with("ttl", json!(60)), 100),
        (with("context", json!({ "message_id": "x" })), 131_009),
    ] {
        assert_eq!(error(&answer(post(&sim, &body)).await), (400, code), "{body:.200}");
    }
    let requests = sim.get("/sim/requests").await.json();
    assert_eq!(
        (&requests["counts"], &requests["processed"]),
        (&json!({ "msg_1.1": 6 }), &json!({ "msg_1.1": 0 }))
    );
    assert_eq!(requests["data"][0]["provider"], "whatsapp");
    assert_eq!(requests["data"][0]["recipient_tail"], "1234");
    for unreadable in ["", "[]", "{"] {
        let refused = answer(post(&sim, &Value::Null).body(unreadable)).await;
        assert_eq!(refused.json()["error"]["message"], "(#100) The parameter messaging_product is required.");
    }
    let large = answer(post(&sim, &Value::Null).body("x".repeat(300 * 1024))).await;
    assert_eq!(error(&large), (400, 100));
}

#[tokio::test]
async fn an_account_with_templates_has_only_those() {
    let phone = Phone::start().await;
    let known = WhatsAppTemplate {
        name: "order".into(),
        language: "en_US".into(),
        body_parameters: 1,
        category: Some("marketing".into()),
    };
    phone.set(WhatsAppAccount { templates: vec![known], ..demo::whatsapp() });
    id(&phone.template("+16505551234").await);
    let mut other = template("+16505551234");
    other["template"]["name"] = json!("other");
    assert_eq!(error(&phone.post(&other).await), (404, 132_001));
    let mut bare = template("+16505551234");
    bare["template"]["components"] = json!([]);
    assert_eq!(error(&phone.post(&bare).await), (400, 132_000));
}

#[test]
fn debug_output_holds_no_credentials() {
    let account = demo::whatsapp();
    let text = format!("{account:?}");
    for secret in [&account.access_token, &account.app_secret, &account.verify_token] {
        assert!(!text.contains(secret), "{text}");
    }
}
