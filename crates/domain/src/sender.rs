//! Whom messages come from: a tenant's registered senders, and whether one may be used.
//!
//! A sender that is registered is used only where it is verified. One that is not registered is used as ever, unless the
//! tenant's policy asks for registered senders only.

mod records;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::{
    SenderId, TenantId, UnixMillis,
    address::{Channel, Email},
    message::Mode,
    suppression::SenderKey,
};

pub use records::{DKIM_TOKENS, DnsRecord, Purpose, RecordType, proves, records};

/// Whether a sender may be used. The names are persisted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verification {
    /// Somebody has yet to say.
    #[default]
    Pending,
    /// It may.
    Verified,
    /// It may not.
    Rejected,
}

impl Verification {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Verified => "verified",
            Self::Rejected => "rejected",
        }
    }
}

/// What kind of SMS sender a text is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SmsSenderKind {
    /// A name of at most 11 characters, such as `ACME`. Source: 3GPP TS 23.040, section 9.1.2.5.
    Alphanumeric,
    /// A phone number in E.164.
    Number,
    /// 3 to 8 digits that one country's carriers have given out.
    ShortCode,
}

impl SmsSenderKind {
    /// The kind of `text`; `None` when it is no sender.
    pub fn of(text: &str) -> Option<Self> {
        let all_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        if let Some(digits) = text.strip_prefix('+') {
            return (all_digits(digits) && (7..=15).contains(&digits.len())).then_some(Self::Number);
        }
        if all_digits(text) {
            return (3..=8).contains(&text.len()).then_some(Self::ShortCode);
        }
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b" &-_.+!'".contains(&byte);
        let named = text.bytes().any(|byte| byte.is_ascii_alphabetic()) && text.bytes().all(allowed);
        (named && text.len() <= 11 && text.trim() == text).then_some(Self::Alphanumeric)
    }

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alphanumeric => "alphanumeric",
            Self::Number => "number",
            Self::ShortCode => "short_code",
        }
    }
}

/// Whether mail can come from `text`: `no-reply@acme.example`, or `Acme <no-reply@acme.example>` with a name in any
/// script. Control characters could end the header that it is written into.
pub fn is_mail_sender(text: &str) -> bool {
    let address = match text.trim().strip_suffix('>').map(|named| named.rsplit_once('<')) {
        Some(Some((name, address))) if !name.contains(['<', '>']) => address,
        Some(_) => return false,
        None => text,
    };
    !text.contains(char::is_control) && Email::parse(address).is_ok()
}

/// What a sender is, by its channel, with what is known of its right to be used. Field names are persisted.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub enum Identity {
    /// A sender of SMS: each country decides for itself.
    Sms {
        /// As messages name it.
        sender: String,
        /// ISO 3166-1 alpha-2 codes of the countries that it is registered in, with what they say.
        countries: BTreeMap<String, Verification>,
    },
    /// A mail domain with everything below it, or one address.
    Email(EmailIdentity),
    /// A WhatsApp Business number.
    Whatsapp {
        /// Meta's id of the number.
        phone_number_id: String,
        /// The number that people see, in E.164.
        display_number: String,
        /// What Meta says.
        status: Verification,
    },
}

/// A mail domain or address.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct EmailIdentity {
    /// `acme.example`, or `news@acme.example`; in lower case.
    pub identity: String,
    /// Whether mail from it may be sent.
    pub status: Verification,
    /// The three tokens of Amazon SES' Easy DKIM; empty until somebody has told them.
    #[serde(default)]
    pub dkim_tokens: Vec<String>,
    /// Region of Amazon SES, such as `eu-west-1`, for the return path.
    #[serde(default)]
    pub region: Option<String>,
    /// Purposes of the records that were published when they were last looked for.
    #[serde(default)]
    pub published: BTreeSet<String>,
    /// When that was.
    #[serde(default)]
    pub checked_at: Option<UnixMillis>,
}

impl EmailIdentity {
    /// One that nobody has looked at.
    pub const fn new(identity: String) -> Self {
        Self {
            identity,
            status: Verification::Pending,
            dkim_tokens: Vec::new(),
            region: None,
            published: BTreeSet::new(),
            checked_at: None,
        }
    }

    /// The domain.
    pub fn domain(&self) -> &str {
        self.identity.rsplit_once('@').map_or(&self.identity, |(_, domain)| domain)
    }
}

/// A registered sender.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Sender {
    /// Which.
    pub id: SenderId,
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// For people; may be empty.
    pub description: String,
    /// What it is.
    pub identity: Identity,
    /// Why it was rejected, or whatever else an operator wants to say.
    #[serde(default)]
    pub status_reason: Option<String>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Last change.
    pub updated_at: UnixMillis,
}

impl Sender {
    /// Where messages go out that it is for.
    pub const fn channel(&self) -> Channel {
        match self.identity {
            Identity::Sms { .. } => Channel::Sms,
            Identity::Email(_) => Channel::Email,
            Identity::Whatsapp { .. } => Channel::Whatsapp,
        }
    }

    /// How messages may name it, in a form that can be compared.
    pub fn keys(&self) -> Vec<SenderKey> {
        match &self.identity {
            Identity::Sms { sender, .. } => vec![SenderKey::of(sender)],
            Identity::Email(email) => vec![SenderKey::of(&email.identity)],
            Identity::Whatsapp { phone_number_id, display_number, .. } => {
                vec![SenderKey::of(phone_number_id), SenderKey::of(display_number)]
            }
        }
    }

    /// Whether it may write to somebody in `country`, which counts for SMS alone. In a country that it is not registered
    /// in, or an unknown one, it is pending.
    pub fn standing(&self, country: Option<&str>) -> Verification {
        match &self.identity {
            Identity::Sms { countries, .. } => {
                country.and_then(|country| countries.get(country)).copied().unwrap_or_default()
            }
            Identity::Email(EmailIdentity { status, .. }) | Identity::Whatsapp { status, .. } => *status,
        }
    }

    /// Its standing as a whole: pending while any country has yet to say, verified where one at least has said yes.
    pub fn status(&self) -> Verification {
        match &self.identity {
            Identity::Sms { countries, .. } => {
                let any = |wanted| countries.values().any(|one| *one == wanted);
                if countries.is_empty() || any(Verification::Pending) {
                    Verification::Pending
                } else if any(Verification::Verified) {
                    Verification::Verified
                } else {
                    Verification::Rejected
                }
            }
            Identity::Email(EmailIdentity { status, .. }) | Identity::Whatsapp { status, .. } => *status,
        }
    }
}

/// Keys under which what a message names may be registered, the most exact first: mail is from its address, its domain,
/// and the domains above that.
pub fn keys_of(channel: Channel, named: &str) -> Vec<SenderKey> {
    let exact = SenderKey::of(named);
    if channel != Channel::Email {
        return vec![exact];
    }
    let mut keys = vec![exact.clone()];
    let mut rest = exact.as_str().rsplit_once('@').map(|(_, domain)| domain);
    while let Some(domain) = rest.filter(|domain| domain.contains('.')) {
        keys.push(SenderKey::of(domain));
        rest = domain.split_once('.').map(|(_, above)| above);
    }
    keys
}
