//! Outcomes nobody knows, and every policy for them.

use std::time::Duration;

use serde_json::Value;

use crate::server::{Server, attempts, cascade, has_flag, sms, with_policy};

const LIMIT: Duration = Duration::from_secs(30);

fn unknown_attempt(message: &Value) -> bool {
    has_flag(message, "outcome_unknown")
}

#[tokio::test]
async fn wait_is_answered_by_the_receipt() {
    let server = Server::start();
    for (ending, policy) in [("9910", "on_unknown_outcome"), ("9914", "on_server_error")] {
        let id = server.send(&with_policy(sms(ending, 10), policy, "wait")).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!((&message["status"], attempts(&message).len()), (&"delivered".into(), 1), "{ending}");
        assert!(unknown_attempt(&message), "{ending}");
    }
}

#[tokio::test]
async fn wait_without_a_receipt_ends_the_step_in_time() {
    let server = Server::start();
    let id = server.send(&with_policy(cascade("9913", "0001", "1", 1), "on_unknown_outcome", "wait")).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!((&message["status"], &message["channel"]), (&"delivered".into(), &"email".into()));
    assert!(unknown_attempt(&message));
    assert!(server.timeline(&id).await.contains(&"attempt.outcome_unknown".to_owned()));
}

#[tokio::test]
async fn resend_submits_again_under_a_new_number() {
    let server = Server::start();
    for (ending, policy) in [("9913", "on_unknown_outcome"), ("9914", "on_server_error")] {
        let id = server.send(&with_policy(sms(ending, 4), policy, "resend")).await;
        let message = server.ended(&id, LIMIT).await;
        let requests = server.requests_of(&id).await;
        assert!(unknown_attempt(&message), "{ending}");
        assert!(requests.len() >= 2 || message["status"] == "delivered", "{ending}: {requests:?}");
        assert!(requests.iter().all(|(_, received, _)| *received == 1), "{ending}: {requests:?}");
    }
}

#[tokio::test]
async fn next_channel_starts_the_next_step_at_once() {
    let server = Server::start();
    for (ending, policy) in [("9913", "on_unknown_outcome"), ("9914", "on_server_error")] {
        let id = server.send(&with_policy(cascade(ending, "0001", "1", 60), policy, "next_channel")).await;
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(message["status"], "delivered", "{ending}");
        assert!(unknown_attempt(&message), "{ending}");
    }
}

#[tokio::test]
async fn next_provider_goes_to_a_second_connection_or_waits() {
    let server = Server::start();
    let id = server.send(&with_policy(sms("9913", 2), "on_unknown_outcome", "next_provider")).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "sent_unconfirmed", "there is no second connection: it waited");
    server.second_twilio().await;
    let id = server.send(&with_policy(sms("9913", 2), "on_unknown_outcome", "next_provider")).await;
    let message = server.ended(&id, LIMIT).await;
    let providers: Vec<&Value> =
        message["attempts"].as_array().unwrap().iter().map(|attempt| &attempt["provider"]).collect();
    assert_eq!(providers, ["twilio", "second"]);
}

#[tokio::test]
async fn a_hanging_provider_is_given_up_and_is_unknown() {
    let server = Server::start();
    let id = server.send(&cascade("9909", "0001", "1", 1)).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!((&message["status"], &message["channel"]), (&"delivered".into(), &"email".into()));
    assert_eq!(attempts(&message)[0], (0, "outcome_unknown".to_owned()));
}
