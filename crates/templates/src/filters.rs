//! Filters of our own: dates and numbers as people write them.

use jiff::{
    civil::{DateTime, Time},
    fmt::{strtime, temporal::Pieces},
};
use minijinja::{Error, ErrorKind, Value};

/// Most digits behind the decimal point.
const DECIMALS_MAX: usize = 10;
/// Longest separator, in bytes.
const SEPARATOR_BYTES_MAX: usize = 4;

fn refuse<T>(detail: &'static str) -> Result<T, Error> {
    Err(Error::new(ErrorKind::InvalidOperation, detail))
}

/// `{{ when|date("%d.%m.%Y %H:%M") }}`: day and time as the text has them, without a change of time zone.
///
/// Knows `%d %m %Y %y %H %M %S %j %%`, and `%-d` and `%-m` without a leading zero. Without a format: `%Y-%m-%d`.
pub(crate) fn date(text: &str, format: Option<&str>) -> Result<String, Error> {
    let format = format.unwrap_or("%Y-%m-%d");
    if !is_known(format) {
        return refuse("date knows %d %m %Y %y %H %M %S %j %% %-d %-m only");
    }
    let Ok(pieces) = Pieces::parse(text) else { return refuse("date expects a date or an instant") };
    let time = pieces.time().unwrap_or(Time::midnight());
    let at = DateTime::from_parts(pieces.date(), time);
    strtime::format(format, at).or_else(|_| refuse("date cannot write this date"))
}

fn is_known(format: &str) -> bool {
    let mut rest = format;
    while let Some((_, after)) = rest.split_once('%') {
        let known = ["-d", "-m", "d", "m", "Y", "y", "H", "M", "S", "j", "%"];
        let Some(next) = known.into_iter().find_map(|known| after.strip_prefix(known)) else { return false };
        rest = next;
    }
    true
}

/// `{{ amount|number(2, ",", ".") }}`: so many digits behind the point, the point itself, and what stands
/// between thousands. Without arguments: no digits, `.` and nothing.
pub(crate) fn number(
    value: Value,
    decimals: Option<usize>,
    point: Option<&str>,
    thousands: Option<&str>,
) -> Result<String, Error> {
    let (decimals, point, thousands) =
        (decimals.unwrap_or(0), point.unwrap_or("."), thousands.unwrap_or_default());
    if decimals > DECIMALS_MAX || point.len().max(thousands.len()) > SEPARATOR_BYTES_MAX {
        return refuse("number takes up to 10 decimals and short separators");
    }
    let written = match (i64::try_from(value.clone()), f64::try_from(value)) {
        (Ok(whole), _) => format!("{whole}.{:0<decimals$}", ""),
        (Err(_), Ok(number)) if number.is_finite() && number.abs() < 1e15 => format!("{number:.decimals$}."),
        (Err(_), _) => return refuse("number expects a number"),
    };
    let (whole, fraction) = written.split_once('.').unwrap_or((&written, ""));
    let fraction = fraction.trim_end_matches('.');
    let mut text = grouped(whole, thousands);
    if !fraction.is_empty() {
        text.push_str(point);
        text.push_str(fraction);
    }
    Ok(text)
}

fn grouped(whole: &str, thousands: &str) -> String {
    let digits = whole.trim_start_matches('-');
    let mut text = whole[..whole.len() - digits.len()].to_owned();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push_str(thousands);
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_people_do() {
        let told = |value: Value, decimals, point, thousands| {
            number(value, Some(decimals), Some(point), Some(thousands)).unwrap()
        };
        assert_eq!(told(Value::from(1_234_567.5), 2, ",", "."), "1.234.567,50");
        assert_eq!(told(Value::from(-1_234), 2, ",", "."), "-1.234,00");
        assert_eq!(told(Value::from(999), 0, ",", "."), "999");
        assert_eq!(told(Value::from(-0.125), 3, ".", ""), "-0.125");
        assert_eq!(number(Value::from(12.7), None, None, None).unwrap(), "13");
        assert!(number(Value::from("12"), None, None, None).is_err());
        assert!(number(Value::from(f64::NAN), None, None, None).is_err());
        assert!(number(Value::from(1), Some(11), None, None).is_err());
    }

    #[test]
    fn dates_are_written_as_they_stand_in_the_data() {
        assert_eq!(date("2026-11-04", None).unwrap(), "2026-11-04");
        assert_eq!(date("2026-11-04", Some("%-d.%-m.%Y kl. %H.%M")).unwrap(), "4.11.2026 kl. 00.00");
        assert_eq!(
            date("2026-11-04T09:05:00+01:00", Some("%d/%m/%y %H:%M:%S")).unwrap(),
            "04/11/26 09:05:00"
        );
        assert_eq!(date("2026-11-04T09:05:00Z", Some("100 %%")).unwrap(), "100 %");
        for (text, format) in
            [("tomorrow", "%d"), ("2026-11-04", "%99d"), ("2026-11-04", "%A"), ("2026-11-04", "%")]
        {
            assert!(date(text, Some(format)).is_err(), "{text} {format}");
        }
    }
}
