//! When a notification is tried again.

use hermes_domain::UnixMillis;

/// Pauses after each failed try, in seconds (API contract, section 4).
const PAUSES_S: [u64; 9] = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
/// Longest `Retry-After` that is honoured, in seconds.
const RETRY_AFTER_MAX_S: u64 = 86_400;

/// When to try again after `tries` tries; `None` when it is given up.
///
/// `jitter` in 0–1 lengthens the pause by up to a tenth. A longer wish of the receiver counts.
pub(crate) fn next_try(tries: u16, now: UnixMillis, retry_after_s: Option<u64>, jitter: f64) -> Option<UnixMillis> {
    let pause_s = *PAUSES_S.get(usize::from(tries).checked_sub(1)?)?;
    let pause_s = pause_s.max(retry_after_s.unwrap_or(0).min(RETRY_AFTER_MAX_S));
    let jitter_ms = (pause_s as f64 * 100.0 * jitter.clamp(0.0, 1.0)) as u64;
    Some(now.plus_ms(pause_s * 1_000 + jitter_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_end() {
        let now = UnixMillis(1_000);
        assert_eq!(next_try(1, now, None, 0.0), Some(UnixMillis(6_000)));
        assert_eq!(next_try(1, now, Some(60), 0.0), Some(UnixMillis(61_000)));
        assert_eq!(next_try(1, now, None, 1.0), Some(UnixMillis(6_500)));
        assert_eq!(next_try(9, now, None, 0.0), Some(UnixMillis(86_401_000)));
        assert_eq!(next_try(10, now, None, 0.0), None);
    }
}
