//! What the simulator received: the only witness of messages that were sent twice.

use std::{collections::BTreeMap, time::Duration};

use anyhow::Context as _;
use hermes_domain::{AttemptRef, UnixMillis};
use serde::{Deserialize, Serialize};

/// Longest wait for the simulator's answer; it may have millions of references to look through.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// The simulator's counts.
#[derive(Debug)]
pub(super) struct Simulator {
    http: reqwest::Client,
    url: String,
}

/// What the simulator counted at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Counts {
    totals: Totals,
    /// Submissions taken over, for every reference that was received more than once.
    processed: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
struct Totals {
    processed: u64,
}

/// Submissions of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(super) struct Submissions {
    /// Taken over by the simulated providers.
    pub(super) processed: u64,
    /// As many as the accepted messages need.
    pub(super) expected: u64,
    /// Taken over again with a reference that had been taken over before.
    pub(super) duplicated: u64,
}

impl Simulator {
    /// # Errors
    /// When no HTTP client can be made.
    pub(super) fn new(url: &str) -> anyhow::Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default(); // An earlier choice stands.
        let http = reqwest::Client::builder().no_proxy().timeout(ANSWER_LIMIT).build()?;
        Ok(Self { http, url: url.trim_end_matches('/').to_owned() })
    }

    /// # Errors
    /// When the simulator cannot be reached.
    pub(super) async fn counts(&self) -> anyhow::Result<Counts> {
        let said = || format!("the simulator at {} does not tell what it received", self.url);
        let answer = self.http.get(format!("{}/sim/counts?min=2", self.url)).send().await;
        let answer = answer.and_then(reqwest::Response::error_for_status).with_context(said)?;
        serde_json::from_slice(&answer.bytes().await.with_context(said)?).with_context(said)
    }
}

impl Counts {
    /// Submissions since `before`.
    pub(super) fn since(&self, before: &Self) -> u64 {
        self.totals.processed.saturating_sub(before.totals.processed)
    }

    /// Repeated submissions for messages that were accepted at `from` or later.
    pub(super) fn duplicated(&self, from: UnixMillis) -> u64 {
        let ours = |reference: &str| {
            reference.parse::<AttemptRef>().is_ok_and(|attempt| attempt.message.at() >= from)
        };
        let counts = self.processed.iter().filter(|(reference, _)| ours(reference));
        counts.map(|(_, processed)| processed.saturating_sub(1)).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hermes_domain::MessageId;
    use serde_json::json;

    #[test]
    fn duplicates_are_those_of_this_run_that_were_taken_over_again() {
        let reference = |at, attempt| {
            AttemptRef { message: MessageId::mint(UnixMillis(at), 0, 1, 0), attempt }.to_string()
        };
        let counts: Counts = serde_json::from_value(json!({
            "totals": { "received": 9, "processed": 7 }, "references": 5, "without_room": 0, "counts": {},
            "processed": {
                reference(1_000, 1): 2, reference(2_000, 1): 3, reference(2_000, 2): 1, "somebody else's": 5,
            },
        }))
        .unwrap();
        assert_eq!(counts.duplicated(UnixMillis(2_000)), 2);
        assert_eq!(counts.duplicated(UnixMillis(1_000)), 3);
        let before = Counts { totals: Totals { processed: 4 }, processed: BTreeMap::new() };
        assert_eq!(counts.since(&before), 3);
    }
}
