//! Receipts that are late, repeated, out of order, contradicting, orphaned or forged.

use std::time::Duration;

use serde_json::json;

use crate::server::{Server, attempts, cascade, has_flag, sms};

const LIMIT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn repeated_and_reordered_receipts_deliver_once() {
    let server = Server::start();
    for ending in ["9904", "9905"] {
        let id = server.send(&sms(ending, 10)).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(message["status"], "delivered", "{ending}");
        tokio::time::sleep(Duration::from_millis(400)).await; // The second receipt is on its way.
        let later = server.message(&id).await;
        assert_eq!((&later["status"], &later["flags"]), (&message["status"], &message["flags"]), "{ending}");
    }
}

#[tokio::test]
async fn a_contradicting_receipt_is_flagged_and_status_stays() {
    let server = Server::start();
    let id = server.send(&sms("9906", 10)).await;
    let message = server.until(&id, LIMIT, |message| has_flag(message, "contradicted")).await;
    assert_eq!(message["status"], "delivered");
}

#[tokio::test]
async fn a_late_receipt_stops_the_remaining_steps() {
    let server = Server::start();
    // The SMS receipt comes after 5 s, when the email has been silent for four.
    let mut body = cascade("9903", "9902", "1", 1);
    body["cascade"]["steps"][1]["timeout_s"] = json!(30);
    let id = server.send(&body).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "delivered");
    assert!(has_flag(&message, "delivered_late"));
    assert_eq!(attempts(&message).len(), 2, "push never started");
}

#[tokio::test]
async fn a_late_receipt_that_is_only_recorded_lets_the_cascade_go_on() {
    let server = Server::start();
    let mut body = cascade("9903", "9902", "1", 1);
    body["cascade"]["on_late_receipt"] = json!("record");
    body["cascade"]["steps"][1]["timeout_s"] = json!(7);
    let id = server.send(&body).await;
    let message = server.ended(&id, Duration::from_secs(20)).await;
    assert_eq!(message["status"], "sent_unconfirmed");
    assert!(has_flag(&message, "delivered_late"));
    assert!(server.timeline(&id).await.contains(&"receipt.late".to_owned()));
}

#[tokio::test]
async fn a_receipt_after_the_end_adds_a_flag() {
    let server = Server::start();
    let id = server.send(&sms("9903", 1)).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(
        (&message["status"], &message["confirmed_at"]),
        (&"sent_unconfirmed".into(), &serde_json::Value::Null)
    );
    let message = server.until(&id, LIMIT, |message| !message["confirmed_at"].is_null()).await;
    assert_eq!(message["status"], "sent_unconfirmed", "a terminal status is frozen");
    assert!(has_flag(&message, "delivered_late"));
}

#[tokio::test]
async fn a_forged_receipt_is_403_and_changes_nothing() {
    let server = Server::start();
    let id = server.send(&sms("9902", 30)).await;
    let message = server.until(&id, LIMIT, |message| message["attempts"][0]["status"] == "accepted").await;
    let (_, connections) = server.get("/admin/v1/providers", &server.admin_key).await.unwrap();
    let twilio =
        connections["data"].as_array().unwrap().iter().find(|one| one["provider"] == "twilio").unwrap()["id"]
            .as_str()
            .unwrap()
            .to_owned();
    let url = format!("{}/receipts/twilio/{twilio}?ref={id}.1", server.api);
    let sid = message["attempts"][0]["provider_message_id"].as_str().unwrap();
    let body =
        format!("MessageSid={sid}&MessageStatus=delivered&AccountSid=AC00000000000000000000000000000001");
    for signature in [None, Some("AAAAAAAAAAAAAAAAAAAAAAAAAAA=")] {
        let mut request = server
            .client
            .post(&url)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body.clone());
        if let Some(signature) = signature {
            request = request.header("x-twilio-signature", signature);
        }
        assert_eq!(request.send().await.unwrap().status().as_u16(), 403);
    }
    let after = server.message(&id).await;
    assert_eq!((&after["status"], &after["attempts"]), (&message["status"], &message["attempts"]));
    let unknown = format!("{}/receipts/twilio/prv_01ARZ3NDEKTSV4RRFFQ69G5FAV", server.api);
    assert_eq!(server.client.post(unknown).body("x").send().await.unwrap().status().as_u16(), 404);
}
