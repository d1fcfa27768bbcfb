//! `hermes dev` again on data that it left behind.

use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt as _,
    path::Path,
    time::Duration,
};

use serde_json::json;

use crate::server::{Server, Simulator, StartOptions, phone};

#[tokio::test]
async fn every_channel_follows_the_simulator_to_another_port() {
    let mut server = Server::start();
    let first_key = server.tenant_key.clone();
    server.kill();
    server.simulator = Simulator::start(&server.data.join("requests.jsonl"));
    server.restart(&StartOptions::default()).expect("the server starts again");
    assert_eq!(server.tenant_key, first_key, "keys stay");
    for channel in ["sms", "email", "push", "whatsapp"] {
        let id = server
            .send(&json!({
                "to": {
                    "phone": phone("0001"),
                    "whatsapp": phone("0001"),
                    "email": "ada@example.com",
                    "push": [{ "token": "sim-0001-token", "platform": "android" }],
                },
                "content": { "text": "Order 1042 has shipped", "subject": "Your order" },
                "cascade": { "steps": [{ "channel": channel, "success_on": "accepted", "timeout_s": 8 }] },
            }))
            .await;
        let message = server.ended(&id, Duration::from_secs(20)).await;
        let told = message["status"].as_str().unwrap();
        assert!(["delivered", "sent_unconfirmed"].contains(&told), "{channel}: {message:#}");
    }
}

/// What others than the owner may do with files in `data`, and with the directory itself.
fn open_to_others(data: &Path) -> Vec<String> {
    // What lies deeper is behind the directory.
    let inside = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let all = inside.chain([data.to_owned()]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o077;
    all.filter(|path| mode(path) != 0).map(|path| format!("{}: {:o}", path.display(), mode(&path))).collect()
}

#[test]
fn nobody_else_reads_what_is_stored() {
    let mut server = Server::start();
    assert_eq!(open_to_others(&server.data), [""; 0]);
    server.kill();
    for name in ["", "hermes.db", "hermes.db-wal", "keys.db"] {
        let open = Permissions::from_mode(if name.is_empty() { 0o755 } else { 0o644 });
        fs::set_permissions(server.data.join(name), open).unwrap();
    }
    server.restart(&StartOptions::default()).expect("the server starts again");
    assert_eq!(open_to_others(&server.data), [""; 0], "what an earlier build left open is closed");
}
