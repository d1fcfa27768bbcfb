//! Who a message comes from, so that it can be compared.

use std::{collections::BTreeMap, fmt};

use crate::{address::Channel, connection::Connection};

/// A sender in a form that can be compared: providers tell numbers with and without `+`, and names in any case.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SenderKey(String);

impl SenderKey {
    /// Longest sender, in characters.
    pub const CHARS_MAX: usize = 254;

    /// The key of a sender: a number as its digits, everything else in lower case; of `Name <address>` the address.
    pub fn of(sender: &str) -> Self {
        let inner = sender.rsplit_once('<').and_then(|(_, rest)| rest.strip_suffix('>'));
        let text = inner.unwrap_or(sender).trim();
        let digits = text.strip_prefix('+').unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        Self(if is_number { digits.to_owned() } else { text.to_lowercase() })
    }

    /// From its stored form.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As stored, and as shown.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SenderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SenderKey(redacted)")
    }
}

/// The sender of a message through `connection`: the message's own, else the connection's. `None` where only the
/// provider knows, as with Twilio's messaging services and WhatsApp's number ids.
pub fn sender_of(
    named: &BTreeMap<Channel, String>,
    channel: Channel,
    connection: Option<&Connection>,
) -> Option<SenderKey> {
    let own = || connection.and_then(|one| one.setting("from").or_else(|| one.setting("sender")));
    named.get(&channel).map(String::as_str).or_else(own).map(SenderKey::of)
}
