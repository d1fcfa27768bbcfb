//! A message that only waits leaves memory, and comes back for its receipt and for its deadline.

use std::time::{Duration, Instant};

use crate::server::{Server, StartOptions, attempts, cascade, sms};

const LIMIT: Duration = Duration::from_secs(30);

fn soon() -> StartOptions {
    let after = ("HERMES__CASCADE__PASSIVATE_AFTER_S".to_owned(), "1".to_owned());
    StartOptions { env: vec![after], log: None }
}

async fn has_actor(server: &Server, id: &str) -> bool {
    let path = format!("/admin/v1/actors/cascade%2F{id}");
    server.get(&path, &server.admin_key).await.unwrap().0 == 200
}

async fn leaves(server: &Server, id: &str) {
    let until = Instant::now() + LIMIT;
    while has_actor(server, id).await {
        assert!(Instant::now() < until, "its actor stays");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(server.message(id).await["completed_at"].is_null(), "it left because it had ended");
}

#[tokio::test]
async fn a_waiting_message_comes_back_for_its_receipt() {
    let server = Server::start_with(&soon());
    // The receipt comes after five seconds.
    let id = server.send(&sms("9903", 20)).await;
    leaves(&server, &id).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!((&message["status"], attempts(&message).len()), (&"delivered".into(), 1), "{message:#}");
    assert!(!server.timeline(&id).await.contains(&"actor.recovered".to_owned()), "it did not fail");
}

#[tokio::test]
async fn a_waiting_message_comes_back_for_its_deadline() {
    let server = Server::start_with(&soon());
    let id = server.send(&cascade("9902", "0001", "1", 6)).await;
    leaves(&server, &id).await;
    let message = server.ended(&id, LIMIT).await;
    assert_eq!(
        (&message["status"], &message["channel"]),
        (&"delivered".into(), &"email".into()),
        "{message:#}"
    );
    assert!(server.timeline(&id).await.contains(&"step.timed_out".to_owned()));
}
