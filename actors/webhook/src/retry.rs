//! What an answer means, and when to try again. Pure.

use std::time::Duration;

use hermes_domain::UnixMillis;
use hermes_ports::{egress::EgressError, http::HttpResponse};

/// No endpoint is waited for longer than this, whatever it asks for.
const RETRY_AFTER_MAX: Duration = Duration::from_secs(24 * 3_600);
/// A busy endpoint rests as a whole, but not for longer than this.
const REST_MAX: Duration = Duration::from_secs(3_600);
/// Jitter adds at most this share of the delay, as one part in so many.
const JITTER_PARTS: u64 = 5;

/// What became of one try.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    /// 2xx.
    Delivered,
    /// 410: the endpoint wants nothing any more.
    Gone,
    /// Anything else.
    Failed {
        /// How long the endpoint asked to wait.
        retry_after: Option<Duration>,
        /// The endpoint as a whole is overloaded (429, 503), not only this try.
        overloaded: bool,
        /// For the tenant's list of deliveries.
        error: String,
    },
}

/// Reads an answer that arrived at `now`.
pub(crate) fn judge(answer: &Result<HttpResponse, EgressError>, now: UnixMillis) -> Verdict {
    let failed =
        |error: &str| Verdict::Failed { retry_after: None, overloaded: false, error: error.to_owned() };
    let response = match answer {
        Ok(response) => response,
        // Words of our own: an error's text may name more than the tenant should see.
        Err(EgressError::Refused(_)) => return failed("the destination is not allowed"),
        Err(EgressError::Connect(_)) => return failed("could not connect"),
        Err(EgressError::Timeout { .. }) => return failed("no answer in time"),
        Err(EgressError::Lost(_)) => return failed("connection lost"),
        Err(EgressError::TooLarge { .. }) => return failed("the answer is too large"),
        Err(EgressError::Credentials(_) | EgressError::Token(_)) => return failed("could not authenticate"),
    };
    match response.status {
        200..=299 => Verdict::Delivered,
        410 => Verdict::Gone,
        status => Verdict::Failed {
            retry_after: response.header("retry-after").and_then(|value| retry_after(value, now)),
            overloaded: matches!(status, 429 | 503),
            error: format!("status {status}"),
        },
    }
}

/// `Retry-After` as seconds or as an HTTP date (RFC 9110, section 10.2.3).
fn retry_after(value: &str, now: UnixMillis) -> Option<Duration> {
    let value = value.trim();
    let asked = match value.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp().as_millisecond();
            Duration::from_millis(UnixMillis(u64::try_from(at).ok()?).since(now))
        }
    };
    Some(asked.min(RETRY_AFTER_MAX))
}

/// When to try again after `attempts` tries, the last of which failed at `now`; `None`: give up.
///
/// Never earlier than the endpoint asked for. `random` may be any 64 bits.
pub(crate) fn next_at(
    delays: &[Duration],
    attempts: u16,
    retry_after: Option<Duration>,
    now: UnixMillis,
    random: u64,
) -> Option<UnixMillis> {
    let delay = *delays.get(usize::from(attempts).checked_sub(1)?)?;
    let delay_ms = millis(delay);
    let jitter_ms = random % (delay_ms / JITTER_PARTS + 1);
    let asked_ms = millis(retry_after.unwrap_or_default());
    Some(now.plus_ms((delay_ms + jitter_ms).max(asked_ms)))
}

/// Until when an overloaded endpoint is left alone.
pub(crate) fn rest_until(verdict: &Verdict, now: UnixMillis) -> Option<UnixMillis> {
    match verdict {
        Verdict::Failed { retry_after: Some(asked), overloaded: true, .. } => {
            Some(now.plus_ms(millis((*asked).min(REST_MAX))))
        }
        Verdict::Failed { .. } | Verdict::Delivered | Verdict::Gone => None,
    }
}

pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    const NOW: UnixMillis = UnixMillis(1_700_000_000_000);

    fn answered(status: u16, retry_after: Option<&str>) -> Verdict {
        let headers = retry_after.map(|value| ("retry-after".to_owned(), value.to_owned()));
        let headers = headers.into_iter().collect();
        judge(&Ok(HttpResponse { status, headers, body: bytes::Bytes::new() }), NOW)
    }

    #[test]
    fn the_schedule_is_that_of_the_contract() {
        let delays = Options::default().retry_delays;
        let seconds: Vec<u64> = (1..=9)
            .map(|attempts| next_at(&delays, attempts, None, NOW, 0).unwrap().since(NOW) / 1_000)
            .collect();
        assert_eq!(seconds, [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400]);
        assert_eq!(next_at(&delays, 10, None, NOW, 0), None);
    }

    #[test]
    fn jitter_only_adds_and_is_bounded() {
        let delays = Options::default().retry_delays;
        for random in [0, 1, 999, u64::MAX / 3, u64::MAX] {
            let delay = next_at(&delays, 1, None, NOW, random).unwrap().since(NOW);
            assert!((5_000..=6_000).contains(&delay), "{delay}");
        }
    }

    #[test]
    fn what_the_endpoint_asks_for_is_kept_within_a_day() {
        let delays = Options::default().retry_delays;
        let wait = |value| match answered(503, Some(value)) {
            Verdict::Failed { retry_after, .. } => {
                next_at(&delays, 1, retry_after, NOW, 0).unwrap().since(NOW) / 1_000
            }
            other => panic!("{other:?}"),
        };
        assert_eq!([wait("1"), wait("120"), wait("9999999"), wait("soon")], [5, 120, 86_400, 5]);
        // 1 700 000 000 is 2023-11-14 22:13:20.
        assert_eq!(wait("Tue, 14 Nov 2023 22:14:20 GMT"), 60);
        assert_eq!(wait("Tue, 14 Nov 2023 22:00:00 GMT"), 5, "in the past");
    }

    #[test]
    fn only_success_is_success() {
        assert_eq!(answered(204, None), Verdict::Delivered);
        assert_eq!(answered(410, None), Verdict::Gone);
        for status in [301, 400, 404, 500] {
            assert!(matches!(answered(status, None), Verdict::Failed { overloaded: false, .. }), "{status}");
        }
        let lost = judge(&Err(EgressError::Lost("10.0.0.1 said no".into())), NOW);
        let Verdict::Failed { error, .. } = lost else { panic!("{lost:?}") };
        assert_eq!(error, "connection lost");
    }

    #[test]
    fn an_overloaded_endpoint_rests_as_a_whole() {
        assert_eq!(rest_until(&answered(429, Some("30")), NOW), Some(NOW.plus_ms(30_000)));
        assert_eq!(rest_until(&answered(503, Some("86400")), NOW), Some(NOW.plus_ms(3_600_000)));
        assert_eq!(rest_until(&answered(500, Some("30")), NOW), None);
        assert_eq!(rest_until(&answered(429, None), NOW), None);
    }
}
