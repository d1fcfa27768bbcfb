//! An adapter that misbehaves hurts the messages that go through it, and nothing else.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    hot_swap::{component, upload},
    server::{Server, cascade, sms},
};

const LIMIT: Duration = Duration::from_secs(60);
/// An endless loop, endless recursion, too much memory, a trap, a huge body, a small body that is huge once copied,
/// header injection, foreign addresses, a host that is not its own, a secret that is not its own, a flood of log
/// lines.
const BEHAVIOURS: [&str; 11] = [
    "loop",
    "recurse",
    "bomb",
    "trap",
    "big",
    "aliased_headers",
    "crlf",
    "url_user",
    "target",
    "foreign_secret",
    "log_flood",
];
/// Where `target` sends its request.
const FOREIGN_HOST: &str = "https://evil.example/";

async fn connect(server: &Server, behaviour: &str) {
    let connection = json!({
        "tenant_id": server.tenant_id().await, "mode": "test", "provider": "hostile", "name": behaviour,
        "channel": "sms", "credentials": { "auth_token": "a secret" }, "config": { "behaviour": behaviour, "target": FOREIGN_HOST },
        "rate_per_s": 100,
    });
    let (status, reply) = server.post("/admin/v1/providers", &server.admin_key, &connection).await.unwrap();
    assert_eq!(status, 201, "{reply}");
}

fn through(behaviour: &str) -> Value {
    let mut body = cascade("0001", "0001", "1", 3);
    body["cascade"]["steps"][0]["providers"] = json!([behaviour]);
    body
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_adapter_hurts_only_what_goes_through_it() {
    let server = Arc::new(Server::start());
    let bytes = component("crates/wasm-host/tests/hostile/hostile.wasm");
    let (status, info) = upload(&server, "hostile", bytes).await;
    assert!((200..300).contains(&status), "{info}");
    let body = json!({ "version": info["version"] });
    let path = "/admin/v1/adapters/hostile/activate";
    let (status, reply) = server.post(path, &server.admin_key, &body).await.unwrap();
    assert_eq!(status, 200, "{reply}");
    for behaviour in BEHAVIOURS {
        connect(&server, behaviour).await;
    }

    let stop = Arc::new(AtomicBool::new(false));
    let neighbour = tokio::spawn({
        let (server, stop) = (Arc::clone(&server), Arc::clone(&stop));
        async move {
            let mut ids = Vec::new();
            let mut body = sms("0001", 20);
            body["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
            while !stop.load(Ordering::Relaxed) {
                ids.push(server.send(&body).await);
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            ids
        }
    });
    let mut bad = Vec::new();
    for behaviour in BEHAVIOURS.into_iter().cycle().take(3 * BEHAVIOURS.len()) {
        bad.push((behaviour, server.send(&through(behaviour)).await));
    }
    for (behaviour, id) in &bad {
        let message = server.ended(id, LIMIT).await;
        assert_eq!(
            (&message["status"], &message["channel"]),
            (&json!("delivered"), &json!("email")),
            "{message:#}"
        );
        let attempts = message["attempts"].as_array().unwrap();
        let first = &attempts[0];
        assert_eq!(first["provider"], *behaviour);
        // The last of them is harmless but for its noise: nobody is at the address that it calls.
        assert!(first["status"] == "failed", "{behaviour}: {first:#}");
        assert!(server.requests_of(&format!("{id}.1")).await.is_empty(), "{behaviour} got out");
    }
    stop.store(true, Ordering::Relaxed);
    let good = neighbour.await.unwrap();
    assert!(good.len() > 20, "{} are no neighbours", good.len());
    for id in good {
        let message = server.ended(&id, LIMIT).await;
        let attempts = message["attempts"].as_array().unwrap();
        assert_eq!((&message["status"], attempts.len()), (&json!("delivered"), 1), "{message:#}");
    }
}
