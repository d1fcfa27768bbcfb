//! What a rule covers.

use std::fmt;

use crate::address::{Channel, Email, Phone};

/// Longest push token, in bytes, as in messages.
const TOKEN_BYTES_MAX: usize = 4_096;
/// Most digits of a phone number (E.164).
const DIGITS_MAX: usize = 15;

/// How the value of a rule begins whose address was erased: a keyed hash follows. Only who keeps the rule can tell whom
/// it is about.
pub const ERASED_PREFIX: &str = "erased:";

/// An address, or many that have something in common. Always normalised: mail in lower case, numbers with their `+`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coverage {
    /// Exactly this phone number, mail address or push token.
    Address(String),
    /// Every mail address at this domain and below it.
    Domain(String),
    /// Every phone number that begins so.
    Prefix(String),
}

/// Why a text is nothing that a rule could cover.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidCoverage {
    /// Neither a phone number nor a mail address.
    #[error("expected a phone number in E.164 or an email address; a push token needs the channel push")]
    Address,
    /// No domain.
    #[error("expected a domain such as example.com")]
    Domain,
    /// No beginning of a number.
    #[error("expected a + and 1 to 15 digits, such as +4520")]
    Prefix,
    /// The channel has other addresses.
    #[error("the channel has no addresses of this kind")]
    Channel,
}

impl Coverage {
    /// An address that a tenant names, for rules on `channel` (`None`: on all of them).
    ///
    /// # Errors
    /// `Address` for what cannot be one, `Channel` for one of another channel.
    pub fn address(channel: Option<Channel>, text: &str) -> Result<Self, InvalidCoverage> {
        match channel {
            Some(Channel::Push) => {
                let token = (1..=TOKEN_BYTES_MAX).contains(&text.len())
                    && text.bytes().all(|byte| byte.is_ascii_graphic());
                if token { Ok(Self::Address(text.to_owned())) } else { Err(InvalidCoverage::Address) }
            }
            Some(Channel::Sms | Channel::Whatsapp) if text.contains('@') => Err(InvalidCoverage::Channel),
            Some(Channel::Email) if text.starts_with('+') && !text.contains('@') => {
                Err(InvalidCoverage::Channel)
            }
            _ if text.contains('@') => {
                let email = Email::parse(text).map_err(|_| InvalidCoverage::Address)?;
                Ok(Self::Address(email.as_str().to_ascii_lowercase()))
            }
            _ => {
                let phone = Phone::parse(text).map_err(|_| InvalidCoverage::Address)?;
                Ok(Self::Address(phone.as_str().to_owned()))
            }
        }
    }

    /// A mail domain that a tenant names; one `@` in front is overlooked.
    ///
    /// # Errors
    /// `Domain`, `Channel`.
    pub fn domain(channel: Option<Channel>, text: &str) -> Result<Self, InvalidCoverage> {
        let domain = text.strip_prefix('@').unwrap_or(text);
        Email::parse(&format!("a@{domain}")).map_err(|_| InvalidCoverage::Domain)?;
        match channel {
            None | Some(Channel::Email) => Ok(Self::Domain(domain.to_ascii_lowercase())),
            Some(Channel::Sms | Channel::Push | Channel::Whatsapp) => Err(InvalidCoverage::Channel),
        }
    }

    /// The beginning of phone numbers that a tenant names.
    ///
    /// # Errors
    /// `Prefix`, `Channel`.
    pub fn prefix(channel: Option<Channel>, text: &str) -> Result<Self, InvalidCoverage> {
        let digits = text.strip_prefix('+').unwrap_or_default();
        let fits = (1..=DIGITS_MAX).contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0');
        match channel {
            _ if !fits => Err(InvalidCoverage::Prefix),
            None | Some(Channel::Sms | Channel::Whatsapp) => Ok(Self::Prefix(text.to_owned())),
            Some(Channel::Email | Channel::Push) => Err(InvalidCoverage::Channel),
        }
    }

    /// An address as a provider told it, which is not checked.
    pub fn exactly(channel: Channel, address: &str) -> Self {
        Self::Address(normal(channel, address))
    }

    /// From its stored form; `None` for a kind that this build does not know.
    pub fn from_parts(kind: &str, value: String) -> Option<Self> {
        match kind {
            "address" => Some(Self::Address(value)),
            "domain" => Some(Self::Domain(value)),
            "prefix" => Some(Self::Prefix(value)),
            _ => None,
        }
    }

    /// `address`, `domain` or `prefix`, in storage and API.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Address(_) => "address",
            Self::Domain(_) => "domain",
            Self::Prefix(_) => "prefix",
        }
    }

    /// What is covered, as text.
    pub fn value(&self) -> &str {
        match self {
            Self::Address(value) | Self::Domain(value) | Self::Prefix(value) => value,
        }
    }

    /// Whether it is about an address that was erased.
    pub fn is_erased(&self) -> bool {
        matches!(self, Self::Address(value) if value.starts_with(ERASED_PREFIX))
    }

    /// Whether `address` on `channel` is among what is covered.
    pub fn covers(&self, channel: Channel, address: &str) -> bool {
        let address = normal(channel, address);
        match (self, channel) {
            (Self::Address(value), _) => *value == address,
            (Self::Domain(value), Channel::Email) => address.rsplit_once('@').is_some_and(|(_, domain)| {
                domain
                    .strip_suffix(value.as_str())
                    .is_some_and(|above| above.is_empty() || above.ends_with('.'))
            }),
            (Self::Prefix(value), Channel::Sms | Channel::Whatsapp) => address.starts_with(value.as_str()),
            (Self::Domain(_), Channel::Sms | Channel::Push | Channel::Whatsapp) => false,
            (Self::Prefix(_), Channel::Email | Channel::Push) => false,
        }
    }

    /// Greater for what covers fewer addresses.
    pub(super) fn specificity(&self) -> usize {
        match self {
            Self::Address(_) => usize::MAX,
            Self::Domain(value) | Self::Prefix(value) => value.len(),
        }
    }

    /// The values of every coverage that could cover `address` on `channel`: itself, then what is ever less specific. At
    /// most 17 for a number, and as many as its domain has labels for a mail address.
    pub fn values_covering(channel: Channel, address: &str) -> Vec<String> {
        let address = normal(channel, address);
        let mut values = vec![address.clone()];
        match channel {
            Channel::Email => {
                let mut rest = address.rsplit_once('@').map(|(_, domain)| domain);
                while let Some(domain) = rest.filter(|domain| domain.contains('.')) {
                    values.push(domain.to_owned());
                    rest = domain.split_once('.').map(|(_, above)| above);
                }
            }
            Channel::Sms | Channel::Whatsapp => {
                let longest = address.len().min(DIGITS_MAX + 1);
                values.extend((2..=longest).rev().filter_map(|len| address.get(..len)).map(str::to_owned));
                values.dedup();
            }
            Channel::Push => {}
        }
        values
    }
}

/// An address as coverages hold it: push tokens tell upper from lower case, mail does not.
fn normal(channel: Channel, address: &str) -> String {
    match channel {
        Channel::Email => address.to_ascii_lowercase(),
        Channel::Sms | Channel::Push | Channel::Whatsapp => address.to_owned(),
    }
}

impl fmt::Debug for Coverage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Coverage::{}(redacted)", self.kind())
    }
}
