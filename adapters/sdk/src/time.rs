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
