//! Days of UTC and the months they lie in, counted from 1970-01-01.

use crate::UnixMillis;

/// Milliseconds of a day.
pub const DAY_MS: u64 = 24 * 3_600_000;

/// Days since 1970-01-01 at an instant.
pub fn day_of(at: UnixMillis) -> u32 {
    u32::try_from(at.0 / DAY_MS).unwrap_or(u32::MAX)
}

/// When a day begins.
pub const fn start_of(day: u32) -> UnixMillis {
    UnixMillis(day as u64 * DAY_MS)
}

/// A day as `2026-01-31`.
pub fn date(day: u32) -> String {
    let text = start_of(day).rfc3339();
    text.get(..10).unwrap_or(&text).to_owned()
}

/// Reads a day such as `2026-01-31`; `None` for anything else and for days before 1970.
pub fn parse_date(text: &str) -> Option<u32> {
    let at = UnixMillis::parse_rfc3339(&format!("{text}T00:00:00Z")).filter(|_| text.len() == 10)?;
    Some(day_of(at))
}

/// The first day of the month of `day`.
pub fn first_of_month(of: u32) -> u32 {
    let text = date(of);
    text.get(..8).and_then(|month| parse_date(&format!("{month}01"))).unwrap_or(of)
}

/// The first day of the month after that of `day`.
pub fn first_of_next_month(of: u32) -> u32 {
    // The 32nd day of a month lies in the next one.
    first_of_month(first_of_month(of).saturating_add(31))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates_and_months_begin_on_their_first() {
        let at = UnixMillis::parse_rfc3339("2028-02-29T23:59:59.999Z").unwrap();
        let day = day_of(at);
        assert_eq!(
            (date(day), date(first_of_month(day)), date(first_of_next_month(day))),
            ("2028-02-29".into(), "2028-02-01".into(), "2028-03-01".into())
        );
        assert_eq!((parse_date("2028-02-29"), start_of(day).since(at)), (Some(day), 0));
        for bad in ["2028-02-30", "2028-2-29", "28-02-29", "2028-02-29T00", "1969-12-31", ""] {
            assert_eq!(parse_date(bad), None, "{bad}");
        }
    }
}
