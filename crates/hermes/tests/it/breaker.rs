//! A failing provider: the breaker opens, the router goes round it, and it closes again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::server::{Server, sms};

impl Server {
    /// A second Twilio account at the simulator, called `second`; returns its id.
    pub(crate) async fn second_twilio(&self) -> String {
        let account = json!({
            "account_sid": "AC00000000000000000000000000000002",
            "auth_token": "fedcba9876543210fedcba9876543210",
        });
        self.simulator_post("/sim/accounts", &json!({ "twilio": [account] })).await;
        let tenant = self.tenant_id().await;
        let connection = json!({
            "tenant_id": tenant, "mode": "test", "provider": "twilio", "name": "second", "channel": "sms",
            "credentials": account, "config": { "base_url": self.simulator.url, "from": "+15005550006" },
        });
        let (status, reply) = self.post("/admin/v1/providers", &self.admin_key, &connection).await.unwrap();
        assert_eq!(status, 201, "{reply}");
        reply["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn tenant_id(&self) -> String {
        let (status, tenants) = self.get("/admin/v1/tenants", &self.admin_key).await.unwrap();
        assert_eq!(status, 200, "{tenants}");
        tenants["data"][0]["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn connection(&self, name: &str) -> String {
        let (_, connections) = self.get("/admin/v1/providers", &self.admin_key).await.unwrap();
        let found = connections["data"].as_array().unwrap().iter().find(|one| one["name"] == name);
        found.unwrap()["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn health(&self, connection: &str) -> Value {
        self.get(&format!("/admin/v1/providers/{connection}/health"), &self.admin_key).await.unwrap().1
    }
}

/// The tenant hears that the connection is degraded, then that it has recovered.
async fn both_are_told(heard: &std::sync::Mutex<Vec<Value>>) {
    let mut told = Vec::new();
    for _ in 0..400 {
        told = heard.lock().unwrap().clone();
        told.retain(|event| event["data"]["provider"] == "twilio"); // The other ones may have failed too.
        if told.len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let mut types: Vec<_> = told.iter().map(|event| event["type"].as_str().unwrap()).collect();
    types.sort_unstable(); // Their order is not promised.
    assert_eq!(types, ["provider.degraded", "provider.recovered"], "{told:?}");
    assert!(
        told.iter().all(|event| event["data"]["provider"] == "twilio" && event["data"]["channel"] == "sms")
    );
}

#[tokio::test]
async fn a_burst_of_faults_opens_the_breaker_and_the_router_goes_round_it() {
    let server = Server::start();
    let first = server.connection("twilio").await;
    let heard = server.hook(json!(["provider.degraded", "provider.recovered"])).await;
    server.simulator_post("/sim/scenario", &json!({ "failure_rate": 1.0 })).await;
    for _ in 0..20 {
        server.send(&sms("0001", 30)).await;
    }
    let mut opened = false;
    for _ in 0..200 {
        opened = server.health(&first).await["breaker"] != "closed";
        if opened {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(opened, "{}", server.health(&first).await);

    // The first connection comes first in the plan, but its breaker is open.
    server.second_twilio().await;
    server.simulator_post("/sim/scenario", &json!({ "failure_rate": 0.0 })).await;
    let mut both = sms("0001", 10);
    both["cascade"]["steps"][0]["providers"] = json!(["twilio", "second"]);
    assert_eq!(server.health(&first).await["breaker"], "open");
    let id = server.send(&both).await;
    let message = server.ended(&id, Duration::from_secs(15)).await;
    assert_eq!((&message["status"], &message["provider"]), (&"delivered".into(), &"second".into()));
    assert_eq!(message["attempts"].as_array().unwrap().len(), 1, "{message:#}");

    for _ in 0..400 {
        if server.health(&first).await["breaker"] == "closed" {
            return both_are_told(&heard).await;
        }
        let mut probe = sms("0001", 10);
        probe["cascade"]["steps"][0]["providers"] = json!(["twilio"]);
        server.send(&probe).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the breaker did not close: {}", server.health(&first).await);
}
