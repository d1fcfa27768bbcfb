//! Where a message can go. `Debug` never shows an address.

use serde::{Deserialize, Serialize};
use std::fmt;

/// A way to reach a person.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// Text message to a phone number.
    Sms,
    /// Email.
    Email,
    /// Notification to an app.
    Push,
    /// WhatsApp Business message.
    Whatsapp,
}

impl Channel {
    /// Every channel, in the order the API lists them.
    pub const ALL: [Self; 4] = [Self::Sms, Self::Email, Self::Push, Self::Whatsapp];

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sms => "sms",
            Self::Email => "email",
            Self::Push => "push",
            Self::Whatsapp => "whatsapp",
        }
    }

    /// How long a step on this channel waits for success unless the message says otherwise, in seconds.
    pub const fn default_timeout_s(self) -> u32 {
        match self {
            Self::Sms => 90,
            Self::Email => 900,
            Self::Push => 60,
            Self::Whatsapp => 120,
        }
    }
}

/// A phone number in E.164 with its `+`, valid for its country.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Phone(String);

/// An email address of the form `local@domain`.
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Email(String);

/// Why a text is not an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidAddress {
    /// Not E.164, or no valid number of its country.
    #[error("expected a valid phone number in E.164, such as +4520123456")]
    Phone,
    /// Not an email address.
    #[error("expected an email address such as a@example.com")]
    Email,
}

impl Phone {
    /// Parses E.164. The country's numbering plan must allow the number (libphonenumber's data).
    ///
    /// # Errors
    /// `Phone` when the text has no `+`, other characters than digits, or is impossible for its country.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        Self::parse_with_country(text).map(|(phone, _)| phone)
    }

    /// The same, and the number's country as [`Self::country`] tells it, for the price of one parsing.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn parse_with_country(text: &str) -> Result<(Self, Option<String>), InvalidAddress> {
        let digits = text.strip_prefix('+').ok_or(InvalidAddress::Phone)?;
        let plausible = (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if !plausible {
            return Err(InvalidAddress::Phone);
        }
        let number = phonenumber::parse(None, text).map_err(|_| InvalidAddress::Phone)?;
        if !phonenumber::is_valid(&number) {
            return Err(InvalidAddress::Phone);
        }
        let country = number.country().id().map(|id| id.as_ref().to_owned());
        Ok((Self(text.to_owned()), country))
    }

    /// The number with its `+`.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What kind of line the numbering plan gives the number to, such as `mobile`, `fixed_line_or_mobile` or `toll_free`.
    ///
    /// Parses the number again, as [`Self::country`] does.
    pub fn line_type(&self) -> Option<String> {
        let number = phonenumber::parse(None, &self.0).ok()?;
        let kind = number.number_type(&phonenumber::metadata::DATABASE);
        serde_json::to_value(kind).ok()?.as_str().map(str::to_owned)
    }

    /// ISO 3166-1 alpha-2 code of the number's country; `None` for numbers of no country.
    ///
    /// Parses the number again, in tens of microseconds: ask only where the answer matters.
    pub fn country(&self) -> Option<String> {
        let number = phonenumber::parse(None, &self.0).ok()?;
        number.country().id().map(|id| id.as_ref().to_owned())
    }
}

impl Email {
    /// Accepts what mail providers accept: an ASCII local part of up to 64 characters and a dotted domain,
    /// 254 characters in all (RFC 5321 4.5.3.1).
    ///
    /// # Errors
    /// `Email` otherwise.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let (local, domain) = text.rsplit_once('@').ok_or(InvalidAddress::Email)?;
        let atext = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+/=?^_`{|}~-.".contains(&byte);
        let local_ok = (1..=64).contains(&local.len())
            && local.bytes().all(atext)
            && !local.starts_with('.')
            && !local.ends_with('.')
            && !local.contains("..");
        let label_ok = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        };
        let domain_ok = domain.contains('.') && domain.split('.').all(label_ok);
        if local_ok && domain_ok && text.len() <= 254 {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidAddress::Email)
        }
    }

    /// The address as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Phone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Phone(redacted)")
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(redacted)")
    }
}

/// What kind of device a push token belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Android.
    Android,
    /// iOS and iPadOS.
    Ios,
    /// A browser.
    Web,
}

/// A push registration token: opaque, 1–4096 visible ASCII characters.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushToken {
    /// As the app got it from its push service.
    pub token: String,
    /// Where the app runs, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<Platform>,
}

impl fmt::Debug for PushToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushToken").field("platform", &self.platform).finish_non_exhaustive()
    }
}

/// Every address of one recipient. At least one is present in an accepted message.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Recipient {
    /// For SMS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Phone>,
    /// For email.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    /// For WhatsApp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub whatsapp: Option<Phone>,
    /// For push, tried in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub push: Vec<PushToken>,
    /// BCP 47 language tag.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// IANA time zone name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
}

impl Recipient {
    /// Whether this recipient can be reached on `channel`.
    pub fn has(&self, channel: Channel) -> bool {
        match channel {
            Channel::Sms => self.phone.is_some(),
            Channel::Email => self.email.is_some(),
            Channel::Push => !self.push.is_empty(),
            Channel::Whatsapp => self.whatsapp.is_some(),
        }
    }
}

/// The one address an attempt goes to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// A phone for SMS.
    Sms(Phone),
    /// A mailbox.
    Email(Email),
    /// One app installation.
    Push(PushToken),
    /// A phone with WhatsApp.
    Whatsapp(Phone),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_checked_against_their_country() {
        assert!(Phone::parse("+4520123456").is_ok());
        for bad in ["4520123456", "+45", "+45201234567890123", "+45 20123456", "+999999999", "", "+"] {
            assert_eq!(Phone::parse(bad), Err(InvalidAddress::Phone), "{bad}");
        }
    }

    #[test]
    fn a_phone_knows_its_country() {
        let country = |text| Phone::parse(text).unwrap().country();
        assert_eq!(country("+4520123456").as_deref(), Some("DK"));
        assert_eq!(country("+12025550123").as_deref(), Some("US"));
    }

    #[test]
    fn emails_need_a_local_part_and_a_dotted_domain() {
        for good in ["a@example.dk", "a.b+9902@x-y.example.com"] {
            assert!(Email::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["a", "@b.c", "a@b", "a@b..c", ".a@b.c", "a b@c.d", "a@-b.c", "ä@b.c", "a@b.c\r\nBcc: x@y.z"]
        {
            assert_eq!(Email::parse(bad), Err(InvalidAddress::Email), "{bad}");
        }
    }

    #[test]
    fn debug_output_hides_addresses() {
        let text = format!("{:?}", (Phone::parse("+4520123456"), Email::parse("a@example.dk")));
        assert!(!text.contains("2012") && !text.contains("example"), "{text}");
    }
}
