//! Every provider, from the API to its signed receipt, over its own adapter.

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, attempts, has_flag};

const LIMIT: Duration = Duration::from_secs(30);

/// A message by one channel through one connection, to an address with this ending.
fn through(channel: &str, provider: &str, ending: &str) -> Value {
    json!({
        "to": {
            "phone": format!("+452012{ending}"),
            "whatsapp": format!("+452012{ending}"),
            "email": format!("ada+{ending}@example.com"),
            "push": [{ "token": format!("sim-{ending}-token"), "platform": "android" }],
        },
        "content": { "text": "Order 1042 has shipped", "subject": "Your order" },
        "cascade": { "steps": [{ "channel": channel, "providers": [provider], "timeout_s": 8 }] },
    })
}

const RECEIPTS: [(&str, &str); 5] =
    [("sms", "twilio"), ("sms", "vonage"), ("sms", "messente"), ("email", "ses"), ("whatsapp", "whatsapp")];

#[tokio::test]
async fn a_signed_receipt_tells_that_it_arrived() {
    let server = Server::start();
    server.callbacks_are_set_up().await;
    for (channel, provider) in RECEIPTS {
        let id = server.send(&through(channel, provider, "0001")).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(message["status"], "delivered", "{provider}: {message:#}");
        let attempt = &message["attempts"][0];
        assert_eq!((&attempt["provider"], &attempt["status"]), (&json!(provider), &json!("delivered")));
        assert!(attempt["provider_message_id"].is_string(), "{provider}");
        assert_eq!(server.requests_of(&id).await.len(), 1, "{provider}");
    }
    // Push ends with acceptance: nothing more is ever told.
    let id = server.send(&through("push", "fcm", "0001")).await;
    assert_eq!(server.ended(&id, LIMIT).await["status"], "sent_unconfirmed");
}

#[tokio::test]
async fn each_providers_refusals_and_faults_mean_the_same() {
    let server = Server::start();
    server.callbacks_are_set_up().await;
    for (channel, provider) in RECEIPTS {
        for (ending, status, class) in
            [("9901", "failed", None), ("9911", "failed", Some("recipient_permanent"))]
        {
            let id = server.send(&through(channel, provider, ending)).await;
            let message = server.ended(&id, LIMIT).await;
            assert_eq!(message["status"], status, "{provider} {ending}: {message:#}");
            let told = &message["attempts"][0]["error"];
            assert!(
                told["class"].is_string() && told["provider_code"].is_string() || provider == "ses",
                "{told}"
            );
            if let Some(class) = class {
                assert_eq!(told["class"], class, "{provider} {ending}");
            }
        }
        // 429 once, 503 once without having processed it: sent later, delivered.
        for ending in ["9907", "9908"] {
            let id = server.send(&through(channel, provider, ending)).await;
            let message = server.ended(&id, LIMIT).await;
            assert_eq!(message["status"], "delivered", "{provider} {ending}: {message:#}");
            assert!(attempts(&message).len() >= 2, "{provider} {ending}");
        }
        // Accepted, the connection lost before the answer: the receipt answers.
        let id = server.send(&through(channel, provider, "9910")).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!((&message["status"], attempts(&message).len()), (&json!("delivered"), 1), "{provider}");
        assert!(has_flag(&message, "outcome_unknown"), "{provider}");
    }
}

#[tokio::test]
async fn a_stop_reaches_the_tenant_from_every_provider_of_phones() {
    let server = Server::start();
    server.callbacks_are_set_up().await;
    let hook = server.hook(json!(["recipient.opted_out"])).await;
    let of_phones = RECEIPTS.into_iter().filter(|(channel, _)| *channel != "email");
    for (number, (channel, provider)) in (12..).zip(of_phones) {
        // To somebody else each time: a STOP to a sender keeps all connections with that sender from writing.
        let body =
            through(channel, provider, "9912").to_string().replace("+452012", &format!("+4520{number}"));
        let id = server.send(&serde_json::from_str(&body).unwrap()).await;
        let until = std::time::Instant::now() + LIMIT;
        while !hook.lock().unwrap().iter().any(|event| event["data"]["message_id"] == id) {
            assert!(std::time::Instant::now() < until, "{provider}: {:?}", hook.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    for event in hook.lock().unwrap().iter() {
        assert_eq!(
            (&event["type"], &event["data"]["kind"]),
            (&json!("recipient.opted_out"), &json!("opt_out"))
        );
        assert!(!event.to_string().contains("+4520"), "{event}");
    }
}

#[tokio::test]
async fn a_closed_window_is_answered_with_the_template() {
    let server = Server::start();
    server.callbacks_are_set_up().await;
    // Refused at once, and accepted first but refused by receipt.
    for ending in ["9921", "9922"] {
        let mut body = through("whatsapp", "whatsapp", ending);
        body["content"] = json!({ "whatsapp": {
            "text": "Order 1042 has shipped",
            "fallback_template": { "name": "order_shipped", "language": "en", "components": [] },
        } });
        let id = server.send(&body).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(message["status"], "delivered", "{ending}: {message:#}");
        let list = message["attempts"].as_array().unwrap();
        assert_eq!((list.len(), &list[0]["error"]["class"]), (2, &json!("content_rejected")), "{message:#}");
        // Without a template the step ends.
        body["content"]["whatsapp"]["fallback_template"] = Value::Null;
        let id = server.send(&body).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(
            (&message["status"], attempts(&message).len()),
            (&json!("failed"), 1),
            "{ending}: {message:#}"
        );
    }
}

#[tokio::test]
async fn an_email_as_large_as_the_api_takes_arrives_with_its_file() {
    let server = Server::start();
    server.callbacks_are_set_up().await;
    let mut body = through("email", "ses", "0001");
    body["content"]["email"] = json!({
        "subject": "Your order",
        "text": "See the file",
        "attachments": [{
            "filename": "order.pdf",
            "content_type": "application/pdf",
            "content_base64": "QUJD".repeat((9 << 20) / 4),
        }],
    });
    let id = server.send(&body).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "delivered", "{}", message["attempts"]);
}
