//! The view that every actor gives of itself.
//!
//! Tests, the operator API and the metrics all read this one structure, so what an operator sees
//! is what the tests have checked.

use std::error::Error;
use std::fmt::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

/// One actor, as seen from outside. Holds no address, no content and no credential.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActorView {
    /// Its path in the tree, such as `cascade/msg_01J…`.
    pub id: String,
    /// What it is, such as `cascade`; the same word as in the metrics' `kind` label.
    pub kind: String,
    /// The id of its supervisor; none for the root.
    pub parent: Option<String>,
    /// Its state in one word or phrase, such as `awaiting_receipt`.
    pub state: String,
    /// How many messages wait for it, where that is counted.
    pub mailbox: usize,
    /// How often it was restarted since the process started.
    pub restarts: u32,
    /// When this incarnation started, in milliseconds since 1970 (UTC).
    pub started_at_ms: u64,
    /// Why the incarnation before ended, if it failed.
    pub last_error: Option<String>,
    /// The ids of its children; may be cut short where there are very many.
    pub children: Vec<String>,
    /// Whatever else this kind of actor has to say.
    pub detail: serde_json::Value,
}

impl ActorView {
    /// A view with nothing but identity; the actor fills in what it knows.
    #[must_use]
    pub fn new(id: impl Into<String>, kind: impl Into<String>, state: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            kind: kind.into(),
            parent: None,
            state: state.into(),
            mailbox: 0,
            restarts: 0,
            started_at_ms: 0,
            last_error: None,
            children: Vec::new(),
            detail: serde_json::Value::Null,
        }
    }
}

/// The present time for `started_at_ms`; 0 on a clock set before 1970.
#[must_use]
pub fn unix_millis(now: SystemTime) -> u64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An error and its causes, joined by colons.
#[must_use]
pub fn error_chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let _ = write!(text, ": {error}"); // Writing to a string cannot fail.
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("could not load the cascade")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn causes_are_named_once_each() {
        let error = Outer(std::io::Error::other("disk full"));
        assert_eq!(error_chain(&error), "could not load the cascade: disk full");
    }

    #[test]
    fn a_view_survives_the_wire() {
        let mut view = ActorView::new("deadlines", "deadlines", "running");
        view.parent = Some("root".into());
        view.detail = serde_json::json!({"due": 3});
        let text = serde_json::to_string(&view).unwrap();
        assert_eq!(serde_json::from_str::<ActorView>(&text).unwrap(), view);
    }

    #[test]
    fn time_is_counted_from_1970() {
        assert_eq!(unix_millis(UNIX_EPOCH + Duration::from_millis(1_500)), 1_500);
        assert_eq!(unix_millis(UNIX_EPOCH - Duration::from_secs(1)), 0);
    }
}
