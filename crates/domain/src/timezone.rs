//! Time zones: whether a name is one, and which ones the people of a country live by.

mod countries;

use jiff::{Timestamp, civil::Time, tz::TimeZone};

use crate::UnixMillis;
use countries::COUNTRIES;

/// Whether `name` is a zone of the IANA database, such as `Europe/Copenhagen`.
pub fn is_known(name: &str) -> bool {
    TimeZone::get(name).is_ok()
}

/// Zones that the people of a country may live by; empty for unknown countries. `country` is an ISO 3166-1 alpha-2 code.
pub fn of_country(country: &str) -> &'static [&'static str] {
    COUNTRIES.binary_search_by_key(&country, |(code, _)| code).map_or(&[], |place| COUNTRIES[place].1)
}

/// The time of day at `at` in the zone called `name`, in minutes since midnight, 0–1,439; `None` for unknown zones.
pub fn minute_of_day(at: UnixMillis, name: &str) -> Option<u16> {
    let zone = TimeZone::get(name).ok()?;
    let stamp = Timestamp::from_millisecond(i64::try_from(at.0).ok()?).ok()?;
    let time: Time = stamp.to_zoned(zone).time();
    u16::try_from(i32::from(time.hour()) * 60 + i32::from(time.minute())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_ordered_and_every_zone_of_it_exists() {
        assert!(COUNTRIES.windows(2).all(|pair| pair[0].0 < pair[1].0));
        let unknown: Vec<_> =
            COUNTRIES.iter().flat_map(|(_, zones)| *zones).filter(|zone| !is_known(zone)).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        assert_eq!(of_country("DK"), ["Europe/Copenhagen"]);
        assert!(of_country("US").contains(&"Pacific/Honolulu") && of_country("US").len() > 5);
        assert!(of_country("XX").is_empty() && !is_known("Europe/Atlantis"));
    }

    #[test]
    fn clocks_follow_summer_time() {
        let at = |text| UnixMillis::parse_rfc3339(text).unwrap();
        assert_eq!(minute_of_day(at("2026-01-02T20:30:00Z"), "Europe/Copenhagen"), Some(21 * 60 + 30));
        assert_eq!(minute_of_day(at("2026-07-02T20:30:00Z"), "Europe/Copenhagen"), Some(22 * 60 + 30));
        assert_eq!(minute_of_day(at("2026-07-02T20:30:00Z"), "Mars/Olympus"), None);
    }
}
