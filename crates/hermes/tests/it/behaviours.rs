//! What the simulated carriers do, and where each leads.

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, attempts, cascade, has_flag, sms};

const LIMIT: Duration = Duration::from_secs(15);

#[tokio::test]
async fn an_sms_delivered_by_receipt_takes_exactly_one_request() {
    let server = Server::start();
    let id = server.send(&sms("0001", 10)).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "delivered");
    assert_eq!(server.requests_of(&id).await, [(format!("{id}.1"), 1, 1)]);
    let timeline = server.timeline(&id).await;
    assert_eq!(timeline[..3], ["message.accepted", "step.started", "attempt.submitted"]);
    assert_eq!(timeline.last().unwrap(), "message.delivered");
    assert!(message["attempts"][0]["provider_message_id"].as_str().unwrap().starts_with("SM"));
}

#[tokio::test]
async fn silence_falls_through_email_to_push() {
    let server = Server::start();
    let id = server.send(&cascade("9902", "9902", "1", 1)).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "sent_unconfirmed", "push confirms nothing beyond acceptance");
    let steps: Vec<u64> = attempts(&message).into_iter().map(|(step, _)| step).collect();
    assert_eq!(steps, [0, 1, 2]);
    let timeline = server.timeline(&id).await;
    let count = |kind: &str| timeline.iter().filter(|entry| *entry == kind).count();
    assert_eq!((count("step.started"), count("step.timed_out"), count("step.advanced")), (3, 2, 2));
}

#[tokio::test]
async fn email_wins_when_the_sms_is_silent() {
    let server = Server::start();
    let id = server.send(&cascade("9902", "0001", "1", 1)).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!((&message["status"], &message["channel"]), (&"delivered".into(), &"email".into()));
}

#[tokio::test]
async fn undelivered_and_invalid_recipients_start_the_next_step_at_once() {
    let server = Server::start();
    for (ending, status) in [("9901", "undelivered"), ("9911", "rejected")] {
        let id = server.send(&cascade(ending, "0001", "1", 60)).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(message["status"], "delivered", "{ending}");
        assert_eq!(attempts(&message)[0], (0, status.to_owned()), "{ending}");
        assert!(!server.timeline(&id).await.contains(&"step.timed_out".to_owned()), "{ending}");
    }
}

/// Without another provider to turn to.
fn through_twilio(mut body: Value) -> Value {
    body["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
    body
}

#[tokio::test]
async fn throttling_is_retried_within_the_step() {
    let server = Server::start();
    let id = server.send(&through_twilio(sms("9907", 10))).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "delivered");
    assert_eq!(attempts(&message), [(0, "failed".to_owned()), (0, "delivered".to_owned())]);
    assert_eq!(message["attempts"][0]["error"]["class"], "provider_throttled");
    assert!(!has_flag(&message, "outcome_unknown"));
}

#[tokio::test]
async fn a_503_that_processed_nothing_is_retried_and_is_not_unknown() {
    let server = Server::start();
    let id = server.send(&through_twilio(sms("9908", 10))).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "delivered");
    assert_eq!(message["attempts"].as_array().unwrap().len(), 2);
    assert!(!has_flag(&message, "outcome_unknown"));
}
