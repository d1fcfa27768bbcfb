//! Adapters are replaced while messages run.

use std::time::Duration;

use crate::server::{Server, sms};

const LIMIT: Duration = Duration::from_secs(30);

fn component(path: &str) -> Vec<u8> {
    std::fs::read(format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

async fn upload(server: &Server, bytes: Vec<u8>) -> (u16, serde_json::Value) {
    let request =
        server.client.post(format!("{}/admin/v1/adapters/twilio", server.api)).bearer_auth(&server.admin_key);
    let answer = request.header("content-type", "application/wasm").body(bytes).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap())
}

#[tokio::test]
async fn a_new_version_is_activated_under_load_without_a_failed_request() {
    let server = Server::start();
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(server.send(&sms("0001", 20)).await);
    }
    let (status, info) = upload(&server, component("crates/wasm-host/tests/hostile/twilio_next.wasm")).await;
    assert!((200..300).contains(&status), "{info}");
    let version = info["version"].clone();
    let (status, reply) = server
        .post(
            "/admin/v1/adapters/twilio/activate",
            &server.admin_key,
            &serde_json::json!({ "version": version }),
        )
        .await
        .unwrap();
    assert_eq!(status, 200, "{reply}");
    let after = server.send(&sms("0001", 20)).await;
    ids.push(after.clone());
    for id in ids {
        let message = server.ended(&id, LIMIT).await;
        assert_eq!(
            (&message["status"], message["attempts"].as_array().unwrap().len()),
            (&"delivered".into(), 1),
            "{message}"
        );
    }
    assert_eq!(server.message(&after).await["attempts"][0]["adapter_version"], version);
}

#[tokio::test]
async fn garbage_is_refused_and_the_old_version_stays() {
    let server = Server::start();
    for bytes in [b"not wasm".to_vec(), component("crates/wasm-host/tests/hostile/hostile.wasm")] {
        let (status, problem) = upload(&server, bytes).await;
        assert_eq!((status, &problem["code"]), (422, &"adapter_invalid".into()), "{problem}");
    }
    let id = server.send(&sms("0001", 20)).await;
    assert_eq!(server.ended(&id, LIMIT).await["status"], "delivered");
}
