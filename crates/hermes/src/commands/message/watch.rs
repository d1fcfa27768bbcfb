//! `hermes message watch`: the timeline as it grows, without addresses or content.

use std::time::Duration;

use hermes_domain::UnixMillis;
use serde_json::Value;

use crate::commands::client::Client;

/// How often the timeline is read.
const EVERY: Duration = Duration::from_millis(200);
/// The kinds of event that end a message.
const ENDS: [&str; 5] = [
    "message.delivered",
    "message.sent_unconfirmed",
    "message.failed",
    "message.expired",
    "message.cancelled",
];
/// Stands for entries that had no room, the end perhaps among them.
const TRUNCATED: &str = "timeline_truncated";

/// Prints a line per event of message `id`, those that happened before included, until it ends.
///
/// # Errors
/// When the message does not exist or the server cannot be reached.
pub(super) async fn follow(client: &Client, id: &str) -> anyhow::Result<()> {
    let path = format!("/v1/messages/{id}");
    let message = client.get(&path).await?;
    let mut printed = 0;
    loop {
        let timeline = client.get(&format!("{path}/events")).await?;
        let entries = timeline["data"].as_array().map(Vec::as_slice).unwrap_or_default();
        for entry in entries.iter().skip(printed) {
            println!("{}", line(&message, entry));
        }
        printed = entries.len().max(printed);
        if entries.iter().any(ends) {
            return Ok(());
        }
        if entries.iter().any(|entry| entry["type"] == TRUNCATED) {
            let now = client.get(&path).await?;
            if !now["completed_at"].is_null() {
                println!("{id} … {}", now["status"].as_str().unwrap_or("ended"));
                return Ok(());
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

fn ends(entry: &Value) -> bool {
    entry["type"].as_str().is_some_and(|kind| ENDS.contains(&kind))
}

/// Such as `msg_01J… sms twilio delivered 52 ms`; the time counts from acceptance.
fn line(message: &Value, entry: &Value) -> String {
    let id = message["id"].as_str().unwrap_or("-");
    let step = entry["step"].as_u64().and_then(|step| usize::try_from(step).ok());
    let channel = step.and_then(|step| message["plan"][step]["channel"].as_str()).unwrap_or("-");
    let provider = entry["provider"].as_str().unwrap_or("-");
    let instant = |value: &Value| value.as_str().and_then(UnixMillis::parse_rfc3339);
    let after = match (instant(&message["created_at"]), instant(&entry["at"])) {
        (Some(created), Some(at)) => format!("{} ms", at.since(created)),
        (None, _) | (_, None) => "-".to_owned(),
    };
    format!("{id} {channel} {provider} {} {after}", word(entry))
}

/// What happened, in a word: the attempt's status where the event is about that.
fn word(entry: &Value) -> String {
    let kind = entry["type"].as_str().unwrap_or("-");
    match entry["data"]["status"].as_str() {
        Some(status) if kind == "attempt.status" => status.to_owned(),
        Some(_) | None if ends(entry) => kind.trim_start_matches("message.").to_owned(),
        Some(_) | None => kind.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};
    use serde_json::json;

    use super::*;

    fn message() -> Value {
        json!({
            "id": "msg_1", "created_at": "2026-01-02T03:04:05.000Z",
            "plan": [{ "channel": "sms" }, { "channel": "email" }], "to": { "phone": "+4520123456" },
        })
    }

    fn entry(kind: &str, step: Option<u8>, status: Option<&str>) -> Value {
        json!({
            "type": kind, "at": "2026-01-02T03:04:05.052Z", "step": step,
            "provider": step.map(|_| "twilio"), "data": { "status": status, "count": 1 },
        })
    }

    #[test]
    fn a_line_names_channel_provider_status_and_time_but_no_address() {
        assert_eq!(
            line(&message(), &entry("attempt.status", Some(0), Some("delivered"))),
            "msg_1 sms twilio delivered 52 ms"
        );
        assert_eq!(
            line(&message(), &entry("step.timed_out", Some(1), None)),
            "msg_1 email twilio step.timed_out 52 ms"
        );
        assert_eq!(line(&message(), &entry("message.delivered", None, None)), "msg_1 - - delivered 52 ms");
    }

    /// Follows a message whose timeline ends with `last` and which ended as `status` says.
    async fn followed(last: &'static str, completed_at: Option<&'static str>) {
        let message = json!({ "id": "msg_1", "status": "failed", "completed_at": completed_at, "plan": [] });
        let timeline = json!({ "data": [entry("message.accepted", None, None), entry(last, None, None)] });
        let app = Router::new()
            .route("/v1/messages/msg_1", get(move || std::future::ready(message.to_string())))
            .route("/v1/messages/msg_1/events", get(move || std::future::ready(timeline.to_string())));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = Client::new(format!("http://{}", listener.local_addr().unwrap()), "hk_test_1").unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, app).await });
        let limit = Duration::from_secs(5);
        tokio::time::timeout(limit, follow(&client, "msg_1")).await.expect("it ends").unwrap();
        assert!(follow(&client, "msg_2").await.is_err(), "no such message");
        server.abort();
    }

    #[tokio::test]
    async fn a_message_is_followed_to_its_end_even_when_the_timeline_has_no_room_for_it() {
        followed("message.delivered", None).await;
        followed(TRUNCATED, Some("2026-01-02T03:04:06.000Z")).await;
    }

    #[test]
    fn only_ends_end() {
        assert!(ends(&entry("message.expired", None, None)));
        assert!(!ends(&entry("message.accepted", None, None)));
        assert!(!ends(&entry("attempt.status", Some(0), Some("delivered"))));
    }
}
