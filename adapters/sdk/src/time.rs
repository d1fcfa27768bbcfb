//! The two date formats that providers use, as milliseconds since 1970.

/// Reads RFC 3339 in UTC or with an offset, with or without a fraction. `None` for anything else.
pub fn rfc3339_ms(text: &str) -> Option<u64> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut parts = date.splitn(3, '-').map(number);
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let millis: String = fraction.chars().chain("000".chars()).take(3).collect();
    let ms = seconds(year, month, day, clock)?.checked_sub(offset_s(zone)?)?.checked_mul(1_000)?;
    u64::try_from(ms.checked_add(number(&millis)?)?).ok()
}

/// Reads the date form of HTTP headers and RFC 2822: `Tue, 24 Nov 2026 02:00:00 GMT` or `+0000`.
pub fn http_date_ms(text: &str) -> Option<u64> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut parts = text.split_once(", ")?.1.split(' ');
    let day = number(parts.next()?)?;
    let name = parts.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as i64 + 1;
    let seconds = seconds(number(parts.next()?)?, month, day, parts.next()?)?;
    let offset = match parts.next()? {
        "GMT" | "UTC" => 0,
        zone => offset_s(zone)?,
    };
    u64::try_from(seconds.checked_sub(offset)?.checked_mul(1_000)?).ok()
}

/// Writes seconds since 1970 as RFC 3339 in UTC. Times beyond the year 9999 count as its end.
pub fn rfc3339(seconds: u64) -> String {
    const END_S: u64 = 253_402_300_799;
    let seconds = seconds.min(END_S);
    let (year, month, day) = date(i64::try_from(seconds / 86_400).unwrap_or_default());
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// The other way round than [`days`]; for days from 1970 on.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let day_of_era = days % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (days / 146_097 * 400 + year_of_era + i64::from(month <= 2), month, day)
}

fn seconds(year: i64, month: i64, day: i64, clock: &str) -> Option<i64> {
    let mut parts = clock.splitn(3, ':').map(number);
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let valid = (1970..=9999).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    let valid = valid && hour < 24 && minute < 60 && second < 61;
    valid.then(|| days(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second)
}

/// Days from 1970-01-01 in the Gregorian calendar, counted from March so that leap days come last.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468
}

/// `Z`, `+01:00` or `+0100` in seconds.
fn offset_s(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits: String = digits.chars().filter(|char| *char != ':').collect();
    let (hours, minutes) = digits.split_at_checked(2)?;
    Some(sign * (number(hours)? * 3_600 + number(minutes)? * 60))
}

fn number(digits: &str) -> Option<i64> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if plain { digits.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_they_are_read() {
        assert_eq!(rfc3339(1_767_323_045), "2026-01-02T03:04:05Z");
        assert_eq!(rfc3339(0), "1970-01-01T00:00:00Z");
        for day in (0..60_000).step_by(7) {
            let seconds = day * 86_400 + 86_399;
            assert_eq!(rfc3339_ms(&rfc3339(seconds)), Some(seconds * 1_000), "{day}");
        }
        assert_eq!(rfc3339(u64::MAX), "9999-12-31T23:59:59Z");
    }

    #[test]
    fn reads_both_formats() {
        for text in
            ["2026-01-02T03:04:05.678Z", "2026-01-02T04:04:05.678+01:00", "2026-01-01T22:34:05.678-0430"]
        {
            assert_eq!(rfc3339_ms(text), Some(1_767_323_045_678), "{text}");
        }
        assert_eq!(rfc3339_ms("2024-02-29T00:00:00Z"), Some(1_709_164_800_000));
        for text in ["Fri, 02 Jan 2026 03:04:05 GMT", "Fri, 02 Jan 2026 03:04:05 +0000"] {
            assert_eq!(http_date_ms(text), Some(1_767_323_045_000), "{text}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "T",
            "2026-01-02",
            "2026-13-02T03:04:05Z",
            "2026-01-02T24:04:05Z",
            "2026-01-02T03:04:05",
            "é-1-1TZ",
        ] {
            assert_eq!(rfc3339_ms(text), None, "{text}");
        }
        for text in ["", "1", "Fri, 02 Foo 2026 03:04:05 GMT", "Fri, x", "Fri, 02 Jan 2026 03:04:05 +é"] {
            assert_eq!(http_date_ms(text), None, "{text}");
        }
    }
}
