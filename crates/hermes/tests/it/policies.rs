//! Outcomes nobody knows, and every policy for them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, StartOptions, attempts, cascade, has_flag, sms, with_policy};

const LIMIT: Duration = Duration::from_secs(30);

/// Policies are for what the provider cannot be asked about either.
fn nothing_known() -> StartOptions {
    let off = ("HERMES__EGRESS__LOOKUPS_PER_S".to_owned(), "0".to_owned());
    StartOptions { env: vec![off], log: None }
}

fn providers(message: &Value) -> Vec<&str> {
    let list = message["attempts"].as_array().unwrap();
    list.iter().map(|attempt| attempt["provider"].as_str().unwrap()).collect()
}

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
    let server = Server::start_with(&nothing_known());
    // No receipt comes before the second submission, which follows after a second.
    server.simulator_post("/sim/scenario", &json!({ "receipt_delay_ms": 10_000 })).await;
    for (ending, policy) in [("9913", "on_unknown_outcome"), ("9914", "on_server_error")] {
        let id = server.send(&with_policy(sms(ending, 4), policy, "resend")).await;
        let message = server.ended(&id, LIMIT).await;
        let requests = server.requests_of(&id).await;
        assert!(unknown_attempt(&message), "{ending}");
        assert!(requests.len() >= 2, "{ending}: {requests:?}");
        assert!(requests.iter().all(|(_, received, _)| *received == 1), "{ending}: {requests:?}");
    }
}

#[tokio::test]
async fn next_channel_starts_the_next_step_at_once() {
    let server = Server::start_with(&nothing_known());
    for (ending, policy) in [("9913", "on_unknown_outcome"), ("9914", "on_server_error")] {
        let id = server.send(&with_policy(cascade(ending, "0001", "1", 60), policy, "next_channel")).await;
        // The receipt of 9914 may be faster than the email: what counts is that there was one, at once.
        server.ended(&id, LIMIT).await;
        let message = server.until(&id, LIMIT, |message| attempts(message).len() == 2).await;
        assert_eq!(message["status"], "delivered", "{ending}");
        assert_eq!(attempts(&message)[1].0, 1, "{ending}: {message:#}");
        assert!(unknown_attempt(&message), "{ending}");
    }
}

#[tokio::test]
async fn next_provider_goes_to_a_second_connection_or_waits() {
    let server = Server::start_with(&nothing_known());
    let through = |ending: &str, providers: Value, policy: &str| {
        let mut body = with_policy(sms(ending, 2), policy, "next_provider");
        body["cascade"]["steps"][0]["providers"] = providers;
        body
    };
    let id = server.send(&through("9913", json!(["twilio"]), "on_unknown_outcome")).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(message["status"], "sent_unconfirmed", "there is no second connection: it waited");
    server.second_twilio().await;
    server.simulator_post("/sim/scenario", &json!({ "receipt_delay_ms": 10_000 })).await;
    for (ending, policy) in [("9913", "on_unknown_outcome"), ("9914", "on_server_error")] {
        let id = server.send(&through(ending, json!(["twilio", "second"]), policy)).await;
        let message = server.until(&id, LIMIT, |message| attempts(message).len() >= 2).await;
        assert_eq!(providers(&message)[..2], ["twilio", "second"], "{ending}");
    }
}

#[tokio::test]
async fn a_held_connection_makes_nobody_get_copies_within_a_pause() {
    let server = Server::start_with(&nothing_known());
    server.second_twilio().await;
    server.simulator_post("/sim/scenario", &json!({ "receipt_delay_ms": 60_000 })).await;
    let held = server.connection("twilio").await;
    let order = async |what: &str| {
        let path = format!("/admin/v1/providers/{held}/{what}");
        assert_eq!(server.post(&path, &server.admin_key, &json!({})).await.unwrap().0, 200);
    };
    order("hold").await;
    let mut body = sms("9914", 25);
    body["cascade"]["steps"][0]["providers"] = json!(["twilio", "second"]);
    let id = server.send(&body).await;
    let message = server.until(&id, LIMIT, |message| attempts(message).len() >= 3).await;
    assert_eq!(providers(&message)[..3], ["second"; 3]);
    let at = |index: usize| message["attempts"][index]["submitted_at"].as_str().unwrap().to_owned();
    let at = |index| hermes_domain::UnixMillis::parse_rfc3339(&at(index)).unwrap();
    // The pauses that the domain decides; how long they took beyond that is nobody's promise.
    assert!(at(1).since(at(0)) >= 500 && at(2).since(at(1)) >= 1_000, "{:#}", message["attempts"]);
    order("release").await;
    let message = server.until(&id, LIMIT, |message| attempts(message).len() >= 4).await;
    assert_eq!(providers(&message)[3], "twilio", "it was waited for all along");
}

/// The process dies after the provider took the message and before its answer is on record.
async fn killed_after_dispatch(ending: &str, policy: &str) -> (Server, String) {
    let mut server = Server::start_with(&nothing_known());
    server.second_twilio().await;
    let hits = server.data.join("kill-points");
    server.kill();
    let kill = ("HERMES_KILL_POINT".to_owned(), format!("dispatch.after:1:{}", hits.display()));
    let mut options = nothing_known();
    options.env.push(kill);
    server.restart(&options).expect("it starts");
    let mut body = with_policy(cascade(ending, "0001", "1", 12), "on_unknown_outcome", policy);
    body["cascade"]["steps"][0]["providers"] = json!(["twilio", "second"]);
    // The answer is lost where the process dies first: the key finds the message again.
    let key = format!("killed-{policy}");
    let _ = server.post_once(&body, &key).await;
    assert!(server.wait_for_end(LIMIT), "it was not killed");
    server.restart(&nothing_known()).expect("it starts after a crash");
    let (status, reply) = server.post_once(&body, &key).await.unwrap();
    assert!(matches!(status, 200 | 202), "{reply}");
    (server, reply["id"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn after_a_crash_between_submission_and_answer_each_policy_does_what_it_says() {
    // The receipt comes 5 s later, when the server is back.
    let (server, id) = killed_after_dispatch("9903", "wait").await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!((&message["status"], attempts(&message).len()), (&"delivered".into(), 1), "{message:#}");
    assert!(unknown_attempt(&message));

    let (server, id) = killed_after_dispatch("9902", "resend").await;
    let message = server.until(&id, LIMIT, |message| attempts(message).len() >= 2).await;
    assert_eq!(providers(&message)[..2], ["twilio", "twilio"]);
    assert!(unknown_attempt(&message));

    let (server, id) = killed_after_dispatch("9902", "next_provider").await;
    let message = server.until(&id, LIMIT, |message| attempts(message).len() >= 2).await;
    assert_eq!(providers(&message)[..2], ["twilio", "second"]);
    assert!(unknown_attempt(&message));

    let (server, id) = killed_after_dispatch("9902", "next_channel").await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(providers(&message), ["twilio", "ses"]);
    assert_eq!((&message["status"], &message["channel"]), (&"delivered".into(), &"email".into()));
    assert!(unknown_attempt(&message));
}

#[tokio::test]
async fn a_hanging_provider_is_given_up_and_is_unknown() {
    let server = Server::start();
    let id = server.send(&cascade("9909", "0001", "1", 1)).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!((&message["status"], &message["channel"]), (&"delivered".into(), &"email".into()));
    assert_eq!(attempts(&message)[0], (0, "outcome_unknown".to_owned()));
}
