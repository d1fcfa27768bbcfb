//! A message that cannot be saved is parked by the real tree: it harms nobody, shows, runs again when it is told to, and
//! ends in time by itself.

mod tree;

use std::time::Duration;

use hermes_domain::{
    MessageId, UnixMillis,
    cascade::Event,
    outcome::{Level, Receipt, ReceiptStatus},
};
use hermes_ports::{
    Clock as _,
    cascade_inbox::{DeliverError, Delivered},
    clock::SystemClock,
};
use hermes_testkit::connection;
use serde_json::{Value, json};

use self::tree::Running;

fn delivered() -> Event {
    let receipt = Receipt::of(ReceiptStatus::Reached(Level::Delivered));
    Event::Receipt { attempt: 1, connection: connection(1), receipt }
}

/// Breaks the saving of a message for as long as it takes to be parked. The pauses between its failures pass in no time:
/// the tree waits on tokio's clock.
async fn park(running: &Running, id: MessageId) {
    tokio::time::pause();
    running.store.set_broken(id, true);
    let refused = running.system.inbox().deliver(id, delivered(), None).await;
    assert!(matches!(refused, Err(DeliverError::Retry)), "{refused:?}");
    let tree = running.system.tree();
    while !tree.parked().await.iter().any(|parked| parked.id == id) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.store.set_broken(id, false);
    tokio::time::resume();
}

async fn parked(running: &Running) -> Value {
    let (status, list) = running.admin("GET", "parked", None).await;
    assert_eq!(status, 200, "{list}");
    list
}

/// Delivers a receipt to a message that runs again, or does so in a moment.
async fn deliver(running: &Running, id: MessageId) {
    while let Err(error) = running.system.inbox().deliver(id, delivered(), None).await {
        assert!(matches!(error, DeliverError::Retry), "{error}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_message_that_cannot_be_saved_is_parked_alone_and_runs_again_when_told() {
    let running = Running::start().await;
    let (id, other) = (running.sent(&json!({})).await, running.sent(&json!({})).await);
    park(&running, id).await;
    let list = parked(&running).await;
    assert_eq!((&list["count"], &list["data"][0]["message_id"]), (&json!(1), &json!(id)));
    assert_eq!(list["data"][0]["failures"], 5, "{list}");
    assert!(list["data"][0]["reason"].as_str().unwrap().contains("unavailable"), "{list}");
    for actor in running.system.tree().list().await {
        assert_eq!((actor.restarts, &actor.last_error), (0, &None), "{} was restarted", actor.id);
    }
    let answer = running.system.inbox().deliver(other, delivered(), None).await;
    assert!(matches!(answer, Ok(Delivered::Applied)), "others do not notice: {answer:?}");
    let refused = running.system.inbox().deliver(id, delivered(), None).await;
    assert!(refused.is_err(), "a parked message takes nothing: {refused:?}");
    assert_eq!(running.message(id).await["status"], "in_progress");
    let retry = format!("parked/{id}/retry");
    assert_eq!(running.admin("POST", &retry, None).await.0, 202);
    deliver(&running, id).await;
    let message = running.until(id, |message| message["completed_at"].is_string()).await;
    assert_eq!(
        (&message["status"], parked(&running).await),
        (&json!("delivered"), json!({ "count": 0, "data": [] }))
    );
    assert_eq!(running.admin("POST", &retry, None).await.0, 404);
}

#[tokio::test]
async fn parked_messages_are_counted_and_redriven_in_bulk() {
    let running = Running::start().await;
    let ids = [running.sent(&json!({})).await, running.sent(&json!({})).await];
    for id in ids {
        park(&running, id).await;
    }
    let redrive = async |body: Value| {
        let (status, reply) = running.admin("POST", "redrive", Some(&body)).await;
        assert_eq!((status, &reply["matched"], &reply["redriven"]), (200, &json!(2), &json!(2)), "{reply}");
    };
    redrive(json!({ "what": "parked", "dry_run": true })).await;
    assert_eq!(parked(&running).await["count"], 2, "a dry run lets nothing run");
    redrive(json!({ "what": "parked" })).await;
    for id in ids {
        deliver(&running, id).await;
        let message = running.until(id, |message| message["completed_at"].is_string()).await;
        assert_eq!(
            (&message["status"], message["attempts"].as_array().unwrap().len()),
            (&json!("delivered"), 1)
        );
    }
    assert_eq!(parked(&running).await["count"], 0);
}

#[tokio::test]
async fn a_parked_message_ends_by_itself_when_it_expires() {
    let running = Running::start().await;
    let expires_at = SystemClock::at_boot().now().plus_s(3);
    let steps = json!([{ "channel": "sms", "timeout_s": 1 }]);
    let more = json!({ "expires_at": expires_at.rfc3339(), "cascade": { "steps": steps } });
    let id = running.sent(&more).await;
    park(&running, id).await;
    let message = running.until(id, |message| message["completed_at"].is_string()).await;
    assert_eq!(message["status"], "sent_unconfirmed", "the provider had it");
    let completed_at = UnixMillis::parse_rfc3339(message["completed_at"].as_str().unwrap()).unwrap();
    assert!(completed_at >= expires_at, "its step's time-out wakes it no more: {message:#}");
    assert!(completed_at < expires_at.plus_s(5), "in time: {message:#}");
    assert_eq!(parked(&running).await["count"], 0);
}
