//! One submission as it is listed and written to the file.

use serde::{Deserialize, Serialize};

use crate::{
    clock::{self, UnixMillis},
    reference::Reference,
};

/// The simulated providers, by the names that connections use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Provider {
    Twilio,
    Ses,
    Fcm,
    Messente,
    Vonage,
    #[serde(rename = "whatsapp")]
    WhatsApp,
}

/// What the caller got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Outcome {
    /// A success answer.
    Accepted,
    /// An error answer.
    Refused,
    /// The connection was closed without an answer.
    Dropped,
    /// No answer.
    Hung,
}

/// One submission. `reference` and `recipient_tail` are empty where the request was refused before they were
/// read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(with = "rfc3339")]
    pub(crate) at: UnixMillis,
    pub(crate) provider: Provider,
    #[serde(with = "reference")]
    pub(crate) reference: Option<Reference>,
    pub(crate) recipient_tail: Box<str>,
    /// The HTTP status answered; none if there was no answer.
    pub(crate) status: Option<u16>,
    pub(crate) outcome: Outcome,
    /// Whether the provider took the message over. More than one such entry with one reference is a
    /// duplicate.
    pub(crate) processed: bool,
    /// What an SMS is billed as; none where nothing was taken over, and for other channels.
    #[serde(default)]
    pub(crate) segments: Option<u32>,
    /// Whether it reaches the recipient, by the script.
    #[serde(default)]
    pub(crate) reaches: bool,
}

/// The last four characters of a phone number, push token or email address's local part: enough to tell test
/// recipients apart, not enough to name a person.
pub(crate) fn recipient_tail(recipient: &str) -> Box<str> {
    let local = recipient.rsplit_once('@').map_or(recipient, |(local, _)| local);
    let start = local.char_indices().rev().nth(3).map_or(0, |(index, _)| index);
    local[start..].into()
}

mod rfc3339 {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::{UnixMillis, clock};

    pub(super) fn serialize<S: Serializer>(at: &UnixMillis, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&clock::rfc3339(*at))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<UnixMillis, D::Error> {
        let text = String::deserialize(deserializer)?;
        clock::parse_rfc3339(&text).ok_or_else(|| D::Error::custom("not an RFC 3339 time"))
    }
}

mod reference {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Reference;

    pub(super) fn serialize<S: Serializer>(
        value: &Option<Reference>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        value.as_ref().map(Reference::as_str).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Reference>, D::Error> {
        Ok(Option::<String>::deserialize(deserializer)?.as_deref().and_then(Reference::parse))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tail_of_a_recipient_is_kept() {
        assert_eq!(&*recipient_tail("+4520129902"), "9902");
        assert_eq!(&*recipient_tail("anna+9902@example.dk"), "9902");
        assert_eq!(&*recipient_tail("é"), "é");
        assert_eq!(&*recipient_tail(""), "");
    }
}
