//! Actors that are killed or panic: restarted by their supervisor, siblings untouched.

use std::time::Duration;

use serde_json::json;

use crate::server::{Server, sms};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_killed_or_panicking_cascade_is_restarted_and_completes() {
    let server = Server::start();
    for suffix in ["", "!panic"] {
        let (victim, sibling) = (server.send(&sms("9903", 15)).await, server.send(&sms("9903", 15)).await);
        for id in [&victim, &sibling] {
            server.until(id, LIMIT, |message| message["attempts"][0]["status"] == "accepted").await;
        }
        let (status, reply) = server
            .post(&format!("/admin/v1/actors/cascade%2F{victim}{suffix}/kill"), &server.admin_key, &json!({}))
            .await
            .unwrap();
        assert!((200..300).contains(&status), "{status} {reply}");
        let message = server.ended(&victim, LIMIT).await;
        assert_eq!(message["status"], "delivered");
        assert!(server.timeline(&victim).await.contains(&"actor.recovered".to_owned()), "{suffix}");
        server.ended(&sibling, LIMIT).await;
        assert!(!server.timeline(&sibling).await.contains(&"actor.recovered".to_owned()));
        assert_eq!(server.requests_of(&victim).await.len(), 1, "it was not submitted again");
    }
}

#[tokio::test]
async fn a_message_that_is_needed_before_its_restart_tells_that_it_was_recovered_too() {
    let server = Server::start();
    let id = server.send(&sms("9902", 30)).await;
    server.until(&id, LIMIT, |message| message["attempts"][0]["status"] == "accepted").await;
    let kill = format!("/admin/v1/actors/cascade%2F{id}/kill");
    assert_eq!(server.post(&kill, &server.admin_key, &json!({})).await.unwrap().0, 202);
    // The restart comes after a second; this wakes the message at once.
    let cancel = format!("/v1/messages/{id}/cancel");
    assert_eq!(server.post(&cancel, &server.tenant_key, &json!({})).await.unwrap().0, 200);
    let timeline = server.timeline(&id).await;
    assert!(timeline.contains(&"actor.recovered".to_owned()), "{timeline:?}");
    let then = server.message(&id).await["waiting_for"]["then"].clone();
    assert!(then.as_str().unwrap().contains("cancelling"), "{then}");
}

#[tokio::test]
async fn the_tree_shows_its_actors_and_counts_restarts() {
    let server = Server::start();
    server.send(&sms("9902", 30)).await;
    let (status, tree) = server.get("/admin/v1/actors", &server.admin_key).await.unwrap();
    assert_eq!(status, 200, "{tree}");
    let kinds: Vec<&str> =
        tree["data"].as_array().unwrap().iter().map(|actor| actor["kind"].as_str().unwrap()).collect();
    for kind in ["tenants", "tenant", "cascades", "cascade", "providers", "webhooks"] {
        assert!(kinds.contains(&kind), "{kind} is missing from {kinds:?}");
    }
    let (status, _) =
        server.post("/admin/v1/actors/deadlines/kill", &server.admin_key, &json!({})).await.unwrap();
    assert!((200..300).contains(&status));
    for _ in 0..100 {
        let (_, actor) = server.get("/admin/v1/actors/deadlines", &server.admin_key).await.unwrap();
        if actor["restarts"] == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the restart was not counted");
}

#[tokio::test]
async fn losing_a_supervisor_of_cascades_loses_no_message() {
    let server = Server::start();
    let mut ids = Vec::new();
    for _ in 0..20 {
        ids.push(server.send(&sms("9903", 15)).await);
    }
    let tenant = server.tenant_id().await;
    let (status, reply) = server
        .post(&format!("/admin/v1/actors/cascades%2F{tenant}/kill"), &server.admin_key, &json!({}))
        .await
        .unwrap();
    assert!((200..300).contains(&status), "{reply}");
    for id in ids {
        assert_eq!(server.ended(&id, LIMIT).await["status"], "delivered");
        assert_eq!(server.requests_of(&id).await.len(), 1);
    }
}
