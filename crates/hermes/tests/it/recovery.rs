//! Actors that are killed or panic: restarted by their supervisor, siblings untouched.

use std::time::{Duration, Instant};

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
async fn losing_the_supervisor_of_all_tenants_loses_no_message_and_refuses_none_for_long() {
    let server = Server::start();
    let (_, providers) = server.get("/admin/v1/providers", &server.admin_key).await.unwrap();
    let twilio =
        providers["data"].as_array().unwrap().iter().find(|one| one["provider"] == "twilio").unwrap();
    let path = |action: &str| format!("/admin/v1/providers/{}/{action}", twilio["id"].as_str().unwrap());
    let act = async |path: &str| server.post(path, &server.admin_key, &json!({})).await.unwrap().0;
    assert_eq!(act(&path("hold")).await, 200);
    let mut message = sms("0001", 60);
    message["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
    let waiting = server.send(&message).await;
    assert_eq!(act("/admin/v1/actors/tenants/kill").await, 202);
    let until = Instant::now() + LIMIT;
    while server.post("/v1/messages", &server.tenant_key, &sms("0001", 20)).await.unwrap().0 != 202 {
        assert!(Instant::now() < until, "nobody takes messages any more");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(act(&path("release")).await, 200);
    assert_eq!(server.ended(&waiting, LIMIT).await["status"], "delivered");
}

/// What the root supervises.
const ROOTS: [&str; 6] = ["tenants", "providers", "webhooks", "deadlines", "recovery", "projector"];

#[tokio::test]
async fn operators_may_kill_whatever_the_root_supervises_as_often_as_they_like() {
    let mut server = Server::start();
    for round in 1..=4 {
        for name in ROOTS {
            let path = format!("/admin/v1/actors/{name}/kill");
            let (status, reply) = server.post(&path, &server.admin_key, &json!({})).await.unwrap();
            assert_eq!(status, 202, "{name}: {reply}");
            // It is our fault that nobody takes the message, so it is never told as the tenant's.
            let (status, reply) =
                server.post("/v1/messages", &server.tenant_key, &sms("0001", 20)).await.unwrap();
            let told = (status, reply["code"].as_str());
            assert!([(202, None), (503, Some("overloaded"))].contains(&told), "{name}: {reply}");
            let actor = format!("/admin/v1/actors/{name}");
            let until = Instant::now() + LIMIT;
            loop {
                let (_, actor) = server.get(&actor, &server.admin_key).await.unwrap();
                if actor["restarts"] == round && actor["state"] == "running" {
                    break;
                }
                assert!(Instant::now() < until, "{name}: {actor}");
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }
    assert!(!server.wait_for_end(Duration::ZERO), "the process lives");
    let id = server.send(&sms("0001", 20)).await;
    assert_eq!(server.ended(&id, LIMIT).await["status"], "delivered");
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
