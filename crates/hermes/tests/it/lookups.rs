//! What a provider knows is asked before anything follows from not knowing.

use std::time::Duration;

use serde_json::json;

use crate::server::{Server, StartOptions, attempts, cascade, sms, with_policy};

const LIMIT: Duration = Duration::from_secs(30);

#[tokio::test]
async fn an_overdue_receipt_is_asked_for_before_the_next_step() {
    let server = Server::start();
    // Delivered, but every receipt gets lost.
    server.simulator_post("/sim/scenario", &json!({ "loss_rate": 1.0 })).await;
    let id = server.send(&cascade("0001", "0001", "1", 1)).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(
        (&message["status"], &message["channel"]),
        (&"delivered".into(), &"sms".into()),
        "{message:#}"
    );
    assert_eq!(attempts(&message), [(0, "delivered".to_owned())]);
}

#[tokio::test]
async fn a_submission_that_was_taken_is_not_repeated() {
    let server = Server::start();
    for policy in ["resend", "next_provider", "next_channel"] {
        // Accepted, the connection dropped before the answer; no receipt comes.
        let mut body = with_policy(cascade("9913", "0001", "1", 2), "on_unknown_outcome", policy);
        // Twilio knows messages by recipient and text: two equal ones could not be told apart.
        body["content"]["text"] = json!(format!("Order 1042 has shipped: {policy}"));
        let id = server.send(&body).await;
        let message = server.until(&id, LIMIT, |message| attempts(message).len() == 2).await;
        let first = &message["attempts"][0];
        assert!(first["provider_message_id"].is_string(), "{policy}: {message:#}");
        // Known to be with the provider: the step waits for its receipt, and the next one follows in time.
        assert_eq!(attempts(&message)[1].0, 1, "{policy}: {message:#}");
        assert_eq!(server.requests_of(&format!("{id}.1")).await.len(), 1, "{policy}");
    }
}

#[tokio::test]
async fn lookups_can_be_switched_off() {
    let off = ("HERMES__EGRESS__LOOKUPS_PER_S".to_owned(), "0".to_owned());
    let server = Server::start_with(&StartOptions { env: vec![off], log: None });
    let id = server.send(&with_policy(sms("9913", 4), "on_unknown_outcome", "resend")).await;
    server.until(&id, LIMIT, |message| attempts(message).len() >= 2).await;
}

#[tokio::test]
async fn insights_stand_in_for_a_lost_delivery_event() {
    let server = Server::start();
    server.simulator_post("/sim/scenario", &json!({ "loss_rate": 1.0 })).await;
    let body = json!({
        "to": { "email": "ada+0001@example.com" },
        "content": { "text": "Order 1042 has shipped", "subject": "Your order" },
        "cascade": { "steps": [{ "channel": "email", "timeout_s": 1 }] },
    });
    let id = server.send(&body).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(attempts(&message), [(0, "delivered".to_owned())], "{message:#}");
}
