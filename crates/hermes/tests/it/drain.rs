//! SIGTERM under load: drains in time, and nothing is lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use crate::server::{Server, StartOptions, counted, sms};

/// Clients that send one message after the other.
const CLIENTS: usize = 16;
/// Accepted before the drain begins; the clients go on meanwhile.
const LOAD: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_under_load_loses_nothing() {
    let mut server = Server::start();
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for number in 0..CLIENTS {
        let (stop, count, client) = (Arc::clone(&stop), Arc::clone(&count), server.client.clone());
        let (url, key) = (format!("{}/v1/messages", server.api), server.tenant_key.clone());
        clients.spawn(async move {
            let mut accepted = Vec::new();
            let body = sms(if number % 4 == 0 { "9903" } else { "0001" }, 20).to_string();
            while !stop.load(Ordering::Relaxed) {
                let request = client.post(&url).bearer_auth(&key).header("content-type", "application/json");
                // Refused, or not connected: the server is leaving.
                let Ok(answer) = request.body(body.clone()).send().await else { continue };
                if answer.status() == 202
                    && let Ok(reply) = answer.bytes().await
                {
                    let reply: serde_json::Value = serde_json::from_slice(&reply).unwrap();
                    accepted.push(reply["id"].as_str().unwrap().to_owned());
                    count.fetch_add(1, Ordering::Relaxed);
                }
            }
            accepted
        });
    }
    counted(&count, LOAD).await;
    let asked = Instant::now();
    server.terminate();
    let code = server.exit_code(Duration::from_secs(30)).expect("it ends within 30 s");
    let drained = asked.elapsed();
    stop.store(true, Ordering::Relaxed);
    let accepted: Vec<String> = clients.join_all().await.into_iter().flatten().collect();
    assert_eq!(code, 0);
    server.restart(&StartOptions::default()).expect("the server starts again");
    for id in &accepted {
        let message = server.ended(id, Duration::from_secs(40)).await;
        assert_eq!(message["status"], "delivered", "{message}");
        assert!(server.requests_of(id).await.iter().all(|(_, received, _)| *received == 1));
    }
    println!("drained in {drained:?} with {} messages accepted", accepted.len());
}
