//! Templates, from the API to what a carrier receives.

use std::time::Duration;

use hermes_simulator::demo;
use serde_json::{Value, json};

use crate::server::{Server, phone, sms};

const LIMIT: Duration = Duration::from_secs(15);

/// The message as Twilio has it: what it received, and how it counts segments.
async fn received(server: &Server, message: &Value) -> (String, String) {
    let id = message["attempts"][0]["provider_message_id"].as_str().unwrap();
    let account = demo::twilio();
    let sid = &account.account_sid;
    let url = format!("{}/2010-04-01/Accounts/{sid}/Messages/{id}.json", server.simulator.url);
    let request = server.client.get(url).basic_auth(sid, Some(&account.auth_token));
    let answer = request.send().await.unwrap().bytes().await.unwrap();
    let message: Value = serde_json::from_slice(&answer).unwrap();
    let word = |name: &str| message[name].as_str().unwrap().to_owned();
    (word("body"), word("num_segments"))
}

fn from_template(data: &Value) -> Value {
    let mut body = sms("0001", 10);
    body.as_object_mut().unwrap().remove("content");
    body["to"] = json!({ "phone": phone("0001"), "locale": "da-DK" });
    body["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
    body["template"] = json!({ "name": "ordre", "data": data });
    body
}

#[tokio::test]
async fn a_danish_template_arrives_as_it_was_written() {
    let server = Server::start();
    let template = json!({
        "name": "ordre", "default_locale": "en",
        "variables": [{ "name": "navn", "type": "string" }, { "name": "antal", "type": "number" }],
        "locales": {
            "da": { "text": "Kære {{ navn }}, dine {{ antal }} æbler & blåbær er på vej. Tak fordi du købte ind hos os i dag!" },
            "en": { "text": "Dear {{ navn }}, your {{ antal }} apples are on their way." },
        },
    });
    let (status, stored) = server.post("/v1/templates", &server.tenant_key, &template).await.unwrap();
    assert_eq!(status, 201, "{stored}");
    // `Ø` is in the alphabet of SMS, `Š` is not: the same text then has room for 70 characters only.
    for (name, encoding, segments) in [("Øyvind", "gsm7", 1), ("Šárka", "ucs2", 2)] {
        let body = from_template(&json!({ "navn": name, "antal": 3 }));
        let told = server.post("/v1/messages/validate", &server.tenant_key, &body).await.unwrap().1;
        assert_eq!(
            told["segments"][0],
            json!({ "step": 0, "encoding": encoding, "count": segments }),
            "{told}"
        );
        let id = server.send(&body).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(message["status"], "delivered");
        assert_eq!(message["template"], json!({ "id": stored["id"], "version": 1, "locale": "da" }));
        let text =
            format!("Kære {name}, dine 3 æbler & blåbær er på vej. Tak fordi du købte ind hos os i dag!");
        assert_eq!(received(&server, &message).await, (text, segments.to_string()));
    }

    let missing = from_template(&json!({ "antal": 3 }));
    let (status, problem) = server.post("/v1/messages", &server.tenant_key, &missing).await.unwrap();
    assert_eq!((status, &problem["code"]), (422, &json!("template_missing_variable")));
    assert_eq!(problem["errors"][0]["pointer"], "/template/data/navn");
}

#[tokio::test]
async fn templates_and_versions_survive_kill_9() {
    let mut server = Server::start();
    let text = |text: &str| json!({ "name": "ordre", "default_locale": "da", "locales": { "da": { "text": text } } });
    let (_, stored) = server.post("/v1/templates", &server.tenant_key, &text("første")).await.unwrap();
    let path = format!("/v1/templates/{}/versions", stored["id"].as_str().unwrap());
    let second =
        json!({ "default_locale": "da", "locales": { "da": { "text": "anden" } }, "activate": true });
    let (status, _) = server.post(&path, &server.tenant_key, &second).await.unwrap();
    assert_eq!(status, 201);
    server.kill();
    server.restart(&Default::default()).unwrap();
    let message = server.ended(&server.send(&from_template(&json!({}))).await, LIMIT).await;
    assert_eq!(message["template"]["version"], 2);
    assert_eq!(received(&server, &message).await.0, "anden");
}
