//! Sends a message from Rust and waits until it ends.
//!
//! `HERMES_API=http://127.0.0.1:8080 HERMES_KEY=hk_test_… cargo run --package hermes --example send`

use std::{
    env,
    time::{Duration, Instant, UNIX_EPOCH},
};

use anyhow::{Context as _, Result, bail, ensure};
use reqwest::{
    Client, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE},
};
use serde_json::{Value, json};

/// Longest wait for the end of the message.
const LIMIT: Duration = Duration::from_secs(20);
/// Statuses that come before the end.
const ON_ITS_WAY: [&str; 3] = ["accepted", "scheduled", "in_progress"];

/// The API with a key.
struct Hermes {
    client: Client,
    api: String,
    key: String,
}

impl Hermes {
    fn from_env() -> Result<Self> {
        let variable = |name: &str| env::var(name).with_context(|| format!("set {name}"));
        let client = Client::builder().no_proxy().timeout(Duration::from_secs(15)).build()?;
        Ok(Self { client, api: variable("HERMES_API")?, key: variable("HERMES_KEY")? })
    }

    /// Sends a message. The key makes a repeated call harmless: it is answered with the first reply.
    async fn send(&self, message: &Value, idempotency_key: &str) -> Result<Value> {
        let request =
            self.client.post(format!("{}/v1/messages", self.api)).header("Idempotency-Key", idempotency_key);
        self.answer(request.header(CONTENT_TYPE, "application/json").body(message.to_string())).await
    }

    async fn message(&self, id: &str) -> Result<Value> {
        self.answer(self.client.get(format!("{}/v1/messages/{id}", self.api))).await
    }

    /// The decoded answer; a refusal becomes an error with the problem's own words.
    async fn answer(&self, request: RequestBuilder) -> Result<Value> {
        let answer = request.header(AUTHORIZATION, format!("Bearer {}", self.key)).send().await?;
        let status = answer.status();
        let body: Value = serde_json::from_slice(&answer.bytes().await?).context("the answer is not JSON")?;
        ensure!(status.is_success(), "{status} {}: {}", body["code"], body["detail"]);
        Ok(body)
    }

    /// Asks until the status is terminal. In production, register a webhook instead.
    async fn wait_until_ended(&self, id: &str) -> Result<Value> {
        let started = Instant::now();
        while started.elapsed() < LIMIT {
            let message = self.message(id).await?;
            let status = message["status"].as_str().context("a message has a status")?;
            if !ON_ITS_WAY.contains(&status) {
                return Ok(message);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        bail!("{id} did not end within {} s", LIMIT.as_secs())
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    // The workspace builds reqwest without a provider of cryptography, so that there is one for all.
    let _ = rustls::crypto::ring::default_provider().install_default(); // Only a second call fails.
    let hermes = Hermes::from_env()?;
    let message = json!({
        "to": { "phone": "+4520123456", "email": "ada@example.com" },
        "content": { "text": "Order 1042 has shipped", "subject": "Your order" },
        "metadata": { "order_id": "1042" },
    });
    let key = format!("example-{}-{}", std::process::id(), UNIX_EPOCH.elapsed()?.as_nanos());
    let accepted = hermes.send(&message, &key).await?;
    let id = accepted["id"].as_str().context("an accepted message has an id")?;
    let ended = hermes.wait_until_ended(id).await?;
    let text = |field: &str| ended[field].as_str().unwrap_or("-").to_owned();
    println!("{id} {} {} {}", text("channel"), text("provider"), text("status"));
    ensure!(ended["status"] == "delivered", "expected delivered");
    Ok(())
}
