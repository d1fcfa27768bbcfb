//! What a flood of one tenant costs another: one measurement without it, one while it is worked off.

use std::fmt;

use anyhow::Context as _;
use hermes_simulator::demo;
use serde::Serialize;
use serde_json::{Value, json};

use super::{options::Options, report::Report, session, target::Target};
use crate::commands::client::{Client, DevFile};

/// Name of the connection that both tenants share.
const SHARED: &str = "shared";

/// Both measurements.
#[derive(Debug, Serialize)]
pub(super) struct Compared {
    idle: Report,
    flooded: Report,
    flood: Flood,
    /// p99 from the intended start to the end, flooded against idle.
    p99_ratio: Option<f64>,
}

/// How far the flood had come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
struct Flood {
    messages: u32,
    connection_per_s: u32,
    /// Messages that had not ended when the second measurement began, and when it was over. Those that the
    /// upload has not made yet are among them.
    open_before: u64,
    open_after: u64,
}

/// The tenant that floods.
struct Flooder {
    client: Client,
    batch: String,
}

/// Measures `target` twice; the second time while another tenant's upload of `messages` is worked off.
///
/// # Errors
/// When either measurement fails, or the other tenant cannot be set up.
pub(super) async fn measure(
    options: &Options,
    target: Target,
    dev: &DevFile,
    messages: u32,
) -> anyhow::Result<Compared> {
    let operator = Client::new(target.api.clone(), &dev.admin_key)?;
    share_connection(&operator, &dev.simulator, options.flood_rate).await?;
    let target = Target { connection: Some(SHARED.to_owned()), ..target };
    let idle = session::run(options, &target).await?;
    let flooder = Flooder::start(&operator, target.api.clone(), messages).await?;
    let open_before = flooder.open(messages).await?;
    let flooded = session::run(options, &target).await?;
    let open_after = flooder.open(messages).await?;
    let flood = Flood { messages, connection_per_s: options.flood_rate, open_before, open_after };
    Ok(Compared { p99_ratio: ratio(&idle, &flooded), idle, flooded, flood })
}

async fn share_connection(operator: &Client, simulator: &str, rate_per_s: u32) -> anyhow::Result<()> {
    let account = demo::twilio();
    let connection = json!({
        "tenant_id": null, "mode": "test", "provider": "twilio", "name": SHARED, "channel": "sms",
        "credentials": { "account_sid": account.account_sid, "auth_token": account.auth_token },
        "config": { "from": "+15005550006", "base_url": simulator },
        "rate_per_s": rate_per_s,
    });
    operator
        .post("/admin/v1/providers", &connection)
        .await
        .context("could not make the shared connection")?;
    Ok(())
}

fn ratio(idle: &Report, flooded: &Report) -> Option<f64> {
    let (before, after) = (idle.end_to_end_p99_ms()?, flooded.end_to_end_p99_ms()?);
    (before > 0.0).then(|| after / before)
}

impl Flooder {
    async fn start(operator: &Client, api: String, messages: u32) -> anyhow::Result<Self> {
        let tenant = operator.post("/admin/v1/tenants", &json!({ "name": "flood" })).await?;
        let id = text(&tenant, "id")?;
        let key = json!({ "name": "flood", "mode": "test" });
        let key = operator.post(&format!("/admin/v1/tenants/{id}/keys"), &key).await?;
        let client = Client::new(api, text(&key, "key")?)?;
        let upload = client.post_bytes("/v1/batches", "application/x-ndjson", lines(messages)).await;
        let batch = text(&upload.context("the flood was refused")?, "id")?.to_owned();
        Ok(Self { client, batch })
    }

    /// How many of its messages have not ended.
    async fn open(&self, messages: u32) -> anyhow::Result<u64> {
        let batch = self.client.get(&format!("/v1/batches/{}", self.batch)).await?;
        Ok(u64::from(messages).saturating_sub(ended(&batch)))
    }
}

/// Items of a batch that need nothing any more: refused ones, and messages with a terminal status.
fn ended(batch: &Value) -> u64 {
    let live = ["accepted", "scheduled", "in_progress"];
    let statuses = batch["messages"].as_object().into_iter().flatten();
    let terminal = statuses.filter(|(status, _)| !live.contains(&status.as_str()));
    terminal.filter_map(|(_, count)| count.as_u64()).sum::<u64>()
        + batch["refused"].as_u64().unwrap_or_default()
        + batch["cancelled"].as_u64().unwrap_or_default()
}

/// One bulk message a line, over the shared connection, to recipients without a scripted ending.
fn lines(messages: u32) -> Vec<u8> {
    let line = |number: u32| {
        let phone = format!("+4791{:02}{:04}", number / 9_900, number % 9_900);
        let message = json!({
            "to": { "phone": phone }, "content": { "text": "Our winter sale begins today" }, "lane": "bulk",
            "cascade": { "steps": [{ "channel": "sms", "providers": [SHARED], "timeout_s": 600 }] },
        });
        format!("{message}\n")
    };
    (0..messages).map(line).collect::<String>().into_bytes()
}

fn text<'v>(value: &'v Value, field: &str) -> anyhow::Result<&'v str> {
    value[field].as_str().with_context(|| format!("the server answered without {field}"))
}

impl Compared {
    /// # Errors
    /// When either measurement lost or doubled something, or the flood was over before the second one.
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        self.idle.verdict()?;
        self.flooded.verdict()?;
        anyhow::ensure!(
            self.flood.open_after > 0,
            "the flood ended before the measurement: send more, or lower --flood-rate"
        );
        Ok(())
    }
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { idle, flooded, flood, p99_ratio } = self;
        let Flood { messages, connection_per_s, open_before, open_after } = flood;
        write!(f, "without a flood\n{idle}\nbeside a flood\n{flooded}\n")?;
        writeln!(f, "flood       {messages} messages over a connection of {connection_per_s}/s")?;
        writeln!(f, "  not ended: {open_before} before the measurement, {open_after} after it")?;
        let ratio = p99_ratio.map_or_else(|| "unknown".to_owned(), |ratio| format!("{ratio:.2}"));
        writeln!(f, "p99         {ratio} times that without a flood, end to end")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::address::Phone;

    #[test]
    fn every_line_of_a_flood_is_a_bulk_message_to_somebody_else() {
        let lines = String::from_utf8(lines(100_000)).unwrap();
        let mut seen = std::collections::HashSet::new();
        for line in lines.lines() {
            let message: Value = serde_json::from_str(line).unwrap();
            let phone = message["to"]["phone"].as_str().unwrap().to_owned();
            assert!(Phone::parse(&phone).is_ok() && !phone[7..].starts_with("99"), "{phone}");
            assert_eq!(message["lane"], "bulk");
            assert!(seen.insert(phone));
        }
        assert_eq!(seen.len(), 100_000);
    }

    #[test]
    fn what_was_refused_or_is_terminal_has_ended() {
        let batch = json!({
            "refused": 2, "cancelled": 1,
            "messages": { "accepted": 10, "in_progress": 20, "scheduled": 5, "delivered": 7, "failed": 3 },
        });
        assert_eq!(ended(&batch), 13);
    }
}
