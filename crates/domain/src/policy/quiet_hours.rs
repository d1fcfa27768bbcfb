//! Hours in which recipients are left alone, by their own clocks.

use std::{collections::BTreeSet, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{UnixMillis, address::Channel, message::Lane, timezone};

/// Farthest that an opening is looked for, in minutes (two days).
const HORIZON_MINUTES: u64 = 2 * 24 * 60;
const MINUTE_MS: u64 = 60_000;

/// A time of day, in minutes since midnight; written `HH:MM`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct DayMinute(u16);

/// What happens to a message that comes in quiet hours.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuietAction {
    /// It is scheduled for their end.
    #[default]
    Hold,
    /// It is refused.
    Refuse,
}

/// Hours in which nothing but one-time passwords is sent.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct QuietHours {
    /// Their beginning by the recipient's clock.
    pub from: DayMinute,
    /// Their end; before the beginning it lies on the next day.
    pub until: DayMinute,
    /// On which channels; empty: those that ring, which is all but email.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<Channel>,
    /// What happens to a message.
    #[serde(default)]
    pub action: QuietAction,
    /// The clock of recipients whose zone and country are unknown; `None`: UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

impl QuietHours {
    /// Whether they concern a message at all.
    pub fn concern(&self, channel: Channel, lane: Lane) -> bool {
        let rings = if self.channels.is_empty() {
            channel != Channel::Email
        } else {
            self.channels.contains(&channel)
        };
        rings && lane != Lane::Otp
    }

    /// Zones that a recipient may live by: the one that is named, else those of the country, else the tenant's.
    pub fn zones<'a>(&'a self, named: Option<&'a str>, country: Option<&str>) -> Vec<&'a str> {
        if let Some(named) = named.filter(|name| timezone::is_known(name)) {
            return vec![named];
        }
        match timezone::of_country(country.unwrap_or_default()) {
            [] => vec![self.timezone.as_deref().unwrap_or("UTC")],
            zones => zones.to_vec(),
        }
    }

    /// `None` when `now` is not quiet in any of `zones`; else when it first is not. Where the quiet hours of a wide
    /// country leave no common time, its first zone decides.
    pub fn open_at(&self, now: UnixMillis, zones: &[&str]) -> Option<UnixMillis> {
        if !self.is_quiet(now, zones) {
            return None;
        }
        let first = zones.get(..1).unwrap_or_default();
        self.opening(now, zones).or_else(|| self.opening(now, first)).or(Some(now))
    }

    fn opening(&self, now: UnixMillis, zones: &[&str]) -> Option<UnixMillis> {
        let next_minute = now.0 / MINUTE_MS + 1;
        let minutes = next_minute..=next_minute + HORIZON_MINUTES;
        minutes.map(|minute| UnixMillis(minute * MINUTE_MS)).find(|at| !self.is_quiet(*at, zones))
    }

    fn is_quiet(&self, at: UnixMillis, zones: &[&str]) -> bool {
        let within = |minute: u16| match self.from <= self.until {
            true => (self.from.0..self.until.0).contains(&minute),
            false => minute >= self.from.0 || minute < self.until.0,
        };
        zones.iter().filter_map(|zone| timezone::minute_of_day(at, zone)).any(within)
    }
}

/// Not a time of day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a time of day as HH:MM, 00:00 to 23:59")]
pub struct InvalidDayMinute;

impl FromStr for DayMinute {
    type Err = InvalidDayMinute;

    fn from_str(text: &str) -> Result<Self, InvalidDayMinute> {
        let (hour, minute) = text.split_once(':').ok_or(InvalidDayMinute)?;
        let number = |text: &str, below: u16| {
            let plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number: &u16| plain && *number < below).ok_or(InvalidDayMinute)
        };
        Ok(Self(number(hour, 24)? * 60 + number(minute, 60)?))
    }
}

impl TryFrom<String> for DayMinute {
    type Error = InvalidDayMinute;

    fn try_from(text: String) -> Result<Self, InvalidDayMinute> {
        text.parse()
    }
}

impl From<DayMinute> for String {
    fn from(time: DayMinute) -> Self {
        time.to_string()
    }
}

impl fmt::Display for DayMinute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(from: &str, until: &str) -> QuietHours {
        QuietHours {
            from: from.parse().unwrap(),
            until: until.parse().unwrap(),
            channels: BTreeSet::new(),
            action: QuietAction::Hold,
            timezone: None,
        }
    }

    fn at(text: &str) -> UnixMillis {
        UnixMillis::parse_rfc3339(text).unwrap()
    }

    #[test]
    fn a_night_ends_in_the_morning_of_the_recipient() {
        let night = quiet("21:00", "08:00");
        let copenhagen = ["Europe/Copenhagen"];
        assert_eq!(night.open_at(at("2026-01-02T19:59:59Z"), &copenhagen), None);
        let morning = Some(at("2026-01-03T07:00:00Z"));
        assert_eq!(night.open_at(at("2026-01-02T20:00:00Z"), &copenhagen), morning);
        assert_eq!(night.open_at(at("2026-01-03T06:59:59Z"), &copenhagen), morning);
        assert_eq!(night.open_at(at("2026-01-03T07:00:00Z"), &copenhagen), None);
        assert_eq!(
            quiet("12:00", "13:00").open_at(at("2026-01-02T12:30:00Z"), &["UTC"]),
            Some(at("2026-01-02T13:00:00Z"))
        );
        assert_eq!(
            quiet("12:00", "12:00").open_at(at("2026-01-02T12:00:00Z"), &["UTC"]),
            None,
            "an empty stretch"
        );
    }

    #[test]
    fn a_wide_country_is_left_alone_until_it_is_day_everywhere() {
        let night = quiet("21:00", "08:00");
        let zones = night.zones(None, Some("US"));
        let opens = night.open_at(at("2026-01-02T12:00:00Z"), &zones).unwrap();
        assert_eq!(opens, at("2026-01-02T18:00:00Z"), "eight o'clock in Hawaii and Adak");
        assert_eq!(night.zones(Some("America/New_York"), Some("US")), ["America/New_York"]);
        assert_eq!(
            (night.zones(Some("Nowhere"), Some("DK")), night.zones(None, None)),
            (vec!["Europe/Copenhagen"], vec!["UTC"])
        );
        let always = quiet("01:00", "00:59");
        assert!(always.open_at(at("2026-01-02T12:00:00Z"), &zones).is_some(), "the first zone decides");
    }

    #[test]
    fn one_time_passwords_and_email_are_not_held() {
        let night = quiet("21:00", "08:00");
        assert!(night.concern(Channel::Sms, Lane::Bulk) && night.concern(Channel::Push, Lane::Transactional));
        assert!(!night.concern(Channel::Sms, Lane::Otp) && !night.concern(Channel::Email, Lane::Bulk));
    }

    #[test]
    fn times_of_day_are_read_strictly() {
        assert_eq!("08:05".parse::<DayMinute>().unwrap().to_string(), "08:05");
        for bad in ["8:05", "24:00", "08:60", "08.05", "08:5", "+8:05", ""] {
            assert!(bad.parse::<DayMinute>().is_err(), "{bad}");
        }
    }
}
