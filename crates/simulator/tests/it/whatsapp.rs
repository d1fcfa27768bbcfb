//! WhatsApp: strictness, answers, webhooks, every scripted ending.

use hermes_simulator::{Accounts, WhatsAppAccount, demo};
use reqwest::{Method, RequestBuilder};
use ring::hmac;
use serde_json::{Value, json};

use crate::{
    receiver::Received,
    sim::{Answer, Sim, answer},
    specs,
};

mod callback;
mod endings;
mod refusals;

/// What the demo number is sent by, and where its webhooks go.
struct Phone {
    sim: Sim,
    callback: callback::Callback,
}

impl Phone {
    /// With a callback URL that passed its handshake.
    async fn start() -> Self {
        let phone = Self { sim: Sim::start().await, callback: callback::Callback::start().await };
        phone.set(demo::whatsapp());
        phone.callback.asked().await;
        phone
    }

    fn set(&self, account: WhatsAppAccount) {
        let account = WhatsAppAccount { callback_url: Some(self.callback.url()), ..account };
        self.sim.running.add_accounts(Accounts { whatsapp: vec![account], ..Accounts::default() }).unwrap();
    }

    async fn post(&self, body: &Value) -> Answer {
        answer(post(&self.sim, body)).await
    }

    async fn text(&self, to: &str) -> Answer {
        self.post(&text(to, "msg_1.1")).await
    }

    async fn template(&self, to: &str) -> Answer {
        self.post(&template(to)).await
    }

    /// The changes that the next webhook tells, whose signature and form are as published.
    async fn changes(&mut self) -> Vec<Value> {
        let received = self.callback.received().await;
        assert_signed(&received);
        specs::whatsapp_webhook(&received.json());
        let entries = received.json()["entry"].as_array().unwrap().clone();
        entries.iter().flat_map(|entry| entry["changes"].as_array().unwrap().clone()).collect()
    }

    /// The only change of the next webhook.
    async fn change(&mut self) -> Value {
        let mut changes = self.changes().await;
        assert_eq!(changes.len(), 1);
        changes.remove(0)
    }

    /// The only status of the next webhook.
    async fn status(&mut self) -> Value {
        let change = self.change().await;
        assert_eq!(change["field"], "messages");
        assert_eq!(change["value"]["statuses"].as_array().unwrap().len(), 1, "{change}");
        change["value"]["statuses"][0].clone()
    }

    async fn statuses(&mut self, count: usize) -> Vec<Value> {
        let mut names = Vec::new();
        for _ in 0..count {
            names.push(self.status().await["status"].clone());
        }
        names
    }

    /// What the history says of a message, oldest first.
    async fn history(&self, id: &str) -> Vec<Value> {
        let query = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("message_id", id), ("fields", "id,message_id,events{delivery_status,timestamp}")])
            .finish();
        let found = answer(get(&self.sim, &format!("/message_history?{query}"))).await;
        assert_eq!(found.status, 200, "{}", found.body);
        specs::whatsapp_answer("message_history", "get", &found.json());
        let events = found.json()["data"][0]["events"]["data"].as_array().unwrap().clone();
        events.iter().map(|event| event["delivery_status"].clone()).collect()
    }

    async fn processed(&self) -> Value {
        self.sim.get("/sim/requests").await.json()["processed"].clone()
    }
}

fn path(rest: &str) -> String {
    format!("/v23.0/{}{rest}", demo::whatsapp().phone_number_id)
}

fn get(sim: &Sim, rest: &str) -> RequestBuilder {
    sim.request(Method::GET, &path(rest)).bearer_auth(demo::whatsapp().access_token)
}

fn post(sim: &Sim, body: &Value) -> RequestBuilder {
    let request = sim.request(Method::POST, &path("/messages")).bearer_auth(demo::whatsapp().access_token);
    request.header("content-type", "application/json").body(body.to_string())
}

fn text(to: &str, reference: &str) -> Value {
    json!({
        "messaging_product": "whatsapp", "recipient_type": "individual", "to": to, "type": "text",
        "text": { "preview_url": false, "body": "Hi" }, "biz_opaque_callback_data": reference,
    })
}

fn template(to: &str) -> Value {
    let parameters = json!([{ "type": "text", "text": "Alice" }]);
    let components = json!([{ "type": "body", "parameters": parameters }]);
    json!({
        "messaging_product": "whatsapp", "to": to, "type": "template", "biz_opaque_callback_data": "msg_1.1",
        "template": { "name": "order", "language": { "code": "en_US" }, "components": components },
    })
}

/// The id that an accepted message got.
fn id(sent: &Answer) -> String {
    assert_eq!(sent.status, 200, "{}", sent.body);
    specs::whatsapp_answer("messages", "post", &sent.json());
    sent.json()["messages"][0]["id"].as_str().unwrap().to_owned()
}

/// Status and code of an error answer.
fn error(answer: &Answer) -> (u16, u64) {
    specs::whatsapp_error(&answer.json());
    (answer.status.as_u16(), answer.json()["error"]["code"].as_u64().unwrap())
}

fn assert_signed(received: &Received) {
    assert!(received.body.is_ascii());
    let key = hmac::Key::new(hmac::HMAC_SHA256, demo::whatsapp().app_secret.as_bytes());
    let expected = format!("sha256={}", hex::encode(hmac::sign(&key, &received.body)));
    assert_eq!(received.header("x-hub-signature-256"), expected);
    assert_eq!(received.header("content-type"), "application/json");
}
