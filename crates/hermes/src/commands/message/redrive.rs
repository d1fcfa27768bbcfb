//! `hermes message redrive`: gives messages that were given up another chance.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use crate::commands::client::{Client, id};

/// Which messages, and whether they are only counted.
#[derive(Debug, Args)]
pub(super) struct Redrive {
    /// What was given up.
    what: What,
    /// Only count them, and say what would become of them.
    #[arg(long)]
    dry_run: bool,
    /// Only this tenant's; without it every tenant's.
    #[arg(long, value_name = "ID", value_parser = id)]
    tenant: Option<String>,
    /// Only `live` or `test` ones.
    #[arg(long)]
    mode: Option<String>,
    /// Only those that use this channel.
    #[arg(long)]
    channel: Option<String>,
    /// Only those that ended for this reason, such as `steps_exhausted`.
    #[arg(long, value_name = "REASON")]
    status_reason: Option<String>,
    /// Only those accepted at or after this instant, such as `2026-10-01T08:00:00Z`.
    #[arg(long, value_name = "INSTANT")]
    created_after: Option<String>,
    /// Only those accepted before this instant.
    #[arg(long, value_name = "INSTANT")]
    created_before: Option<String>,
    /// At most this many, up to 10,000; 1,000 without it.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: Option<u32>,
    /// `next_cursor` of the call before.
    #[arg(long)]
    cursor: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    /// Messages whose actor failed again and again: they run again.
    Parked,
    /// Messages that ended as `failed` or `expired`: a new one takes the place of each.
    Failed,
}

impl Redrive {
    /// Does it and returns what became of the messages.
    ///
    /// # Errors
    /// When the API refuses.
    pub(super) async fn run(&self, client: &Client) -> anyhow::Result<Value> {
        client.post("/admin/v1/redrive", &self.request()).await
    }

    fn request(&self) -> Value {
        let what = match self.what {
            What::Parked => "parked",
            What::Failed => "failed",
        };
        let mut request =
            Map::from_iter([("what".to_owned(), json!(what)), ("dry_run".to_owned(), json!(self.dry_run))]);
        let texts = [
            ("tenant_id", &self.tenant),
            ("mode", &self.mode),
            ("channel", &self.channel),
            ("status_reason", &self.status_reason),
            ("created_after", &self.created_after),
            ("created_before", &self.created_before),
            ("cursor", &self.cursor),
        ];
        let given =
            texts.into_iter().filter_map(|(name, text)| Some((name.to_owned(), json!(text.as_ref()?))));
        request.extend(given);
        request.extend(self.limit.map(|limit| ("limit".to_owned(), json!(limit))));
        Value::Object(request)
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        redrive: Redrive,
    }

    fn request(line: &str) -> Value {
        Line::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{error}")).redrive.request()
    }

    #[test]
    fn options_become_a_request_without_absent_fields() {
        assert_eq!(request("redrive parked"), json!({ "what": "parked", "dry_run": false }));
        let all = "redrive failed --dry-run --tenant tnt_1 --mode live --channel sms --status-reason expired \
                   --created-after 2026-10-01T08:00:00Z --created-before 2026-10-02T08:00:00Z --limit 10 --cursor abc";
        let expected = json!({
            "what": "failed", "dry_run": true, "tenant_id": "tnt_1", "mode": "live", "channel": "sms",
            "status_reason": "expired", "created_after": "2026-10-01T08:00:00Z",
            "created_before": "2026-10-02T08:00:00Z", "limit": 10, "cursor": "abc",
        });
        assert_eq!(request(all), expected);
    }
}
