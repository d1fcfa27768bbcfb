//! `hermes serve`, set up through the operator API as an operator would.

use std::fs;

use hermes_simulator::demo;
use serde_json::{Value, json};

use crate::server::{Launch, Server, StartOptions};

const OPERATOR_KEY: &str = "hak_an-operator-key-of-the-tests";

impl Server {
    /// Serves with `store` as the configuration's `[store]` section, with a tenant and three connections.
    pub(crate) async fn serve(store: &str) -> Self {
        Self::serve_with(store, &StartOptions::default()).await
    }

    pub(crate) async fn serve_with(store: &str, options: &StartOptions) -> Self {
        let mut server = Self::new(|plan| {
            let config = plan.dir.join("hermes.toml");
            let text = format!(
                r#"
                [server]
                listen = "127.0.0.1:{port}"
                [simulator]
                url = "{simulator}"
                [egress]
                allow_http = true
                [webhooks]
                allow_private = true
                [bootstrap]
                operator_key = "{OPERATOR_KEY}"
                [store]
                data_dir = "{data}"
                {store}
                "#,
                port = plan.port,
                simulator = plan.simulator,
                data = plan.data.display(),
            );
            fs::write(&config, text).unwrap();
            Launch::Serve { config }
        });
        server.restart(options).expect("the server starts");
        OPERATOR_KEY.clone_into(&mut server.admin_key);
        server.set_up().await;
        server
    }

    async fn set_up(&mut self) {
        let tenant = self.create("/admin/v1/tenants", &json!({ "name": "Acme" })).await;
        let id = tenant["id"].as_str().unwrap();
        let path = format!("/admin/v1/tenants/{id}/keys");
        let key = self.create(&path, &json!({ "name": "tests", "mode": "test" })).await;
        key["key"].as_str().unwrap().clone_into(&mut self.tenant_key);
        for connection in connections(&self.simulator.url) {
            let created = self.create("/admin/v1/providers", &connection).await;
            if connection["provider"] == "ses" {
                let endpoint = format!("{}/receipts/ses/{}", self.api, created["id"].as_str().unwrap());
                let topic = json!({ "topic_arn": demo::SES_TOPIC_ARN, "endpoint": endpoint });
                self.simulator_post("/sim/subscriptions", &topic).await;
            }
        }
    }

    pub(crate) async fn create(&self, path: &str, body: &Value) -> Value {
        let (status, reply) = self.post(path, &self.admin_key, body).await.unwrap();
        assert_eq!(status, 201, "{path}: {reply}");
        reply
    }
}

fn connections(simulator: &str) -> [Value; 3] {
    let (twilio, ses) = (demo::twilio(), demo::ses());
    let token_uri = format!("{simulator}/token");
    [
        json!({
            "mode": "test", "provider": "twilio", "name": "twilio", "channel": "sms", "rate_per_s": 10_000,
            "config": { "from": "+15005550006" },
            "credentials": { "account_sid": twilio.account_sid, "auth_token": twilio.auth_token },
        }),
        json!({
            "mode": "test", "provider": "ses", "name": "ses", "channel": "email", "rate_per_s": 10_000,
            "config": {
                "region": ses.region, "from": "no-reply@hermes.example",
                "configuration_set": demo::SES_CONFIGURATION_SET, "sns_topic_arns": [demo::SES_TOPIC_ARN],
            },
            "credentials": { "access_key_id": ses.access_key_id, "secret_access_key": ses.secret_access_key },
        }),
        json!({
            "mode": "test", "provider": "fcm", "name": "fcm", "channel": "push", "rate_per_s": 10_000,
            "config": { "project_id": demo::FCM_PROJECT_ID, "token_uri": token_uri },
            "credentials": { "service_account": demo::fcm_service_account(&token_uri).to_string() },
        }),
    ]
}
