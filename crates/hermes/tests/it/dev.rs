//! `hermes dev` again on data that it left behind.

use std::time::Duration;

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
