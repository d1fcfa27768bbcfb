//! Adapters are replaced while messages run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::server::{Server, counted, sms};

const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn component(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

pub(crate) async fn upload(server: &Server, name: &str, bytes: Vec<u8>) -> (u16, serde_json::Value) {
    let url = format!("{}/admin/v1/adapters/{name}", server.api);
    let request = server.client.post(url).bearer_auth(&server.admin_key);
    let answer = request.header("content-type", "application/wasm").body(bytes).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

/// Clients that send one message after the other.
const CLIENTS: usize = 8;
/// Sent before and again after the swap.
const LOAD: usize = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_is_activated_under_load_without_a_failed_request() {
    let server = Arc::new(Server::start());
    let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        let (server, stop, count) = (Arc::clone(&server), Arc::clone(&stop), Arc::clone(&count));
        clients.spawn(async move {
            let mut ids = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                ids.push(server.send(&sms("0001", 20)).await);
                count.fetch_add(1, Ordering::Relaxed);
            }
            ids
        });
    }
    counted(&count, LOAD).await;
    let (status, info) =
        upload(&server, "twilio", component("crates/wasm-host/tests/hostile/twilio_next.wasm")).await;
    assert!((200..300).contains(&status), "{info}");
    let version = info["version"].clone();
    let path = "/admin/v1/adapters/twilio/activate";
    let body = serde_json::json!({ "version": version });
    let (status, reply) = server.post(path, &server.admin_key, &body).await.unwrap();
    assert_eq!(status, 200, "{reply}");
    let activated = count.load(Ordering::Relaxed);
    counted(&count, activated + LOAD).await;
    stop.store(true, Ordering::Relaxed);
    let ids: Vec<String> = clients.join_all().await.into_iter().flatten().collect();
    let (mut before, mut after) = (0, 0);
    for id in ids {
        let message = server.ended(&id, LIMIT).await;
        let attempts = message["attempts"].as_array().unwrap();
        assert_eq!((&message["status"], attempts.len()), (&"delivered".into(), 1), "{message}");
        if attempts[0]["adapter_version"] == version { after += 1 } else { before += 1 }
    }
    assert!(before > 0 && after > 0, "{before} before, {after} after");
}

#[tokio::test]
async fn garbage_is_refused_and_the_old_version_stays() {
    let server = Server::start();
    for bytes in [b"not wasm".to_vec(), component("crates/wasm-host/tests/hostile/hostile.wasm")] {
        let (status, problem) = upload(&server, "twilio", bytes).await;
        assert_eq!((status, &problem["code"]), (422, &"adapter_invalid".into()), "{problem}");
    }
    let id = server.send(&sms("0001", 20)).await;
    assert_eq!(server.ended(&id, LIMIT).await["status"], "delivered");
}
