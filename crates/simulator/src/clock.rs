//! Wall time in milliseconds and the text forms that providers use.

use jiff::{Timestamp, tz::TimeZone};

/// Milliseconds since the Unix epoch.
pub(crate) type UnixMillis = i64;

/// The wall clock now.
pub(crate) fn now() -> UnixMillis {
    Timestamp::now().as_millisecond()
}

fn timestamp(at: UnixMillis) -> Timestamp {
    Timestamp::from_millisecond(at).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// `2026-01-02T03:04:05.678Z`.
pub(crate) fn rfc3339(at: UnixMillis) -> String {
    format!("{:.3}", timestamp(at))
}

/// `2026-11-24T02:00:00.389000`, in UTC though it does not say so.
pub(crate) fn micros_without_zone(at: UnixMillis) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%S.%6f").to_string()
}

/// `2026-11-24T02:00:00.389000Z`.
pub(crate) fn micros_utc(at: UnixMillis) -> String {
    format!("{:.6}", timestamp(at))
}

/// Reads any ISO 8601 time, in UTC where it names no zone.
pub(crate) fn parse_iso8601(text: &str) -> Option<UnixMillis> {
    let without_zone =
        || Some(text.parse::<jiff::civil::DateTime>().ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp());
    text.parse().ok().or_else(without_zone).map(Timestamp::as_millisecond)
}

/// Reads any RFC 3339 time.
pub(crate) fn parse_rfc3339(text: &str) -> Option<UnixMillis> {
    text.parse::<Timestamp>().ok().map(|at| at.as_millisecond())
}

/// `Tue, 24 Nov 2026 02:00:00 +0000`.
pub(crate) fn rfc2822(at: UnixMillis) -> String {
    timestamp(at).strftime("%a, %d %b %Y %H:%M:%S +0000").to_string()
}

/// `2026-11-24 02:00:00`, in UTC.
pub(crate) fn date_and_time(at: UnixMillis) -> String {
    timestamp(at).strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// `2026-11-24T02:00:00+0000`.
pub(crate) fn basic_offset(at: UnixMillis) -> String {
    timestamp(at).strftime("%Y-%m-%dT%H:%M:%S+0000").to_string()
}

/// `2026-11-24`, in UTC.
pub(crate) fn date(at: UnixMillis) -> String {
    timestamp(at).strftime("%Y-%m-%d").to_string()
}

/// `YYMMDDhhmm`, in UTC: the form of a carrier's own receipt time.
pub(crate) fn carrier_minute(at: UnixMillis) -> String {
    timestamp(at).strftime("%y%m%d%H%M").to_string()
}

/// Reads `20260102T030405Z`.
pub(crate) fn parse_amz_date(text: &str) -> Option<UnixMillis> {
    let time = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_form_names_the_same_instant() {
        let at = parse_rfc3339("2026-11-24T02:00:00.678Z").unwrap();
        assert_eq!(rfc3339(at), "2026-11-24T02:00:00.678Z");
        assert_eq!(rfc2822(at), "Tue, 24 Nov 2026 02:00:00 +0000");
        assert_eq!(date_and_time(at), "2026-11-24 02:00:00");
        assert_eq!(basic_offset(at), "2026-11-24T02:00:00+0000");
        assert_eq!(date(at), "2026-11-24");
        assert_eq!(carrier_minute(at), "2611240200");
        assert_eq!(micros_without_zone(at), "2026-11-24T02:00:00.678000");
        assert_eq!(micros_utc(at), "2026-11-24T02:00:00.678000Z");
        assert_eq!(parse_iso8601("2026-11-24T03:00:00.678+01:00"), Some(at));
        assert_eq!(parse_iso8601("2026-11-24T02:00:00.678"), Some(at));
        assert_eq!(parse_iso8601("2026-11-24T02:00"), Some(at - 678));
        assert_eq!(parse_iso8601("soon"), None);
        assert_eq!(parse_amz_date("20261124T020000Z"), Some(at - 678));
        assert_eq!(parse_amz_date("2026-11-24"), None);
    }
}
