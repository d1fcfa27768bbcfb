//! Instants and durations as the state machine counts them.

use serde::{Deserialize, Serialize};
use std::fmt;

/// Milliseconds since 1970-01-01T00:00:00Z. Never negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// Later by `ms`, saturating at the end of time.
    pub const fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Later by whole seconds, saturating.
    pub const fn plus_s(self, seconds: u32) -> Self {
        self.plus_ms(seconds as u64 * 1_000)
    }

    /// Milliseconds from `earlier` to `self`; zero when `earlier` is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// RFC 3339 in UTC with milliseconds, as the HTTP API prints every instant.
    pub fn rfc3339(self) -> String {
        let stamp = i64::try_from(self.0).ok().and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
        stamp.map_or_else(|| self.0.to_string(), |stamp| format!("{stamp:.3}"))
    }

    /// Reads RFC 3339. `None` for anything else and for instants before 1970.
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        let stamp: jiff::Timestamp = text.parse().ok()?;
        u64::try_from(stamp.as_millisecond()).ok().map(Self)
    }
}

impl fmt::Debug for UnixMillis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_and_reads_milliseconds() {
        let at = UnixMillis(1_767_323_045_678);
        assert_eq!(at.rfc3339(), "2026-01-02T03:04:05.678Z");
        assert_eq!(UnixMillis::parse_rfc3339("2026-01-02T04:04:05.678+01:00"), Some(at));
        assert_eq!(UnixMillis::parse_rfc3339("1969-12-31T23:59:59Z"), None);
        assert_eq!(UnixMillis::parse_rfc3339("tomorrow"), None);
    }
}
