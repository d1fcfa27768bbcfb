//! What providers answer: the outcome of a submission, and receipts that follow it.

use serde::{Deserialize, Serialize};

use crate::{UnixMillis, money::Money};

/// Why an attempt did not succeed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorClass {
    /// The address will never work on this channel.
    RecipientPermanent,
    /// The address does not work now.
    RecipientTemporary,
    /// The content was refused.
    ContentRejected,
    /// The sender was refused.
    SenderRejected,
    /// The recipient opted out.
    OptedOut,
    /// The provider failed.
    ProviderFault,
    /// The provider is limiting us.
    ProviderThrottled,
    /// The credentials or the account were refused.
    Auth,
    /// The account has no money left.
    Funds,
    /// The network failed.
    Network,
    /// None of the above is known to be true.
    Unknown,
    /// The content was refused, but its alternate would be taken. (Last: stored states know classes by
    /// their order.)
    NeedsAlternate,
}

impl ErrorClass {
    /// Whether another provider of the same channel could do better.
    pub const fn another_provider_may_help(self) -> bool {
        match self {
            Self::SenderRejected | Self::ProviderFault | Self::ProviderThrottled => true,
            Self::Auth | Self::Funds | Self::Network | Self::Unknown => true,
            Self::RecipientPermanent | Self::RecipientTemporary | Self::OptedOut => false,
            Self::ContentRejected | Self::NeedsAlternate => false,
        }
    }

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RecipientPermanent => "recipient_permanent",
            Self::RecipientTemporary => "recipient_temporary",
            Self::ContentRejected | Self::NeedsAlternate => "content_rejected",
            Self::SenderRejected => "sender_rejected",
            Self::OptedOut => "opted_out",
            Self::ProviderFault => "provider_fault",
            Self::ProviderThrottled => "provider_throttled",
            Self::Auth => "auth",
            Self::Funds => "funds",
            Self::Network => "network",
            Self::Unknown => "unknown",
        }
    }
}

/// A failure as a provider described it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Failure {
    /// Hermes' reading of it.
    pub class: ErrorClass,
    /// The provider's own code, at most 40 characters.
    pub code: Option<String>,
    /// Words for an operator, at most 120 characters; never an address or content.
    pub detail: Option<String>,
}

impl Failure {
    /// Longest provider code kept, in characters.
    pub const CODE_CHARS_MAX: usize = 40;
    /// Longest detail kept, in characters.
    pub const DETAIL_CHARS_MAX: usize = 120;

    /// A failure without a provider's code.
    pub fn new(class: ErrorClass, detail: &str) -> Self {
        Self { class, code: None, detail: Some(clip(detail, Self::DETAIL_CHARS_MAX)) }
    }

    /// Cuts code and detail to their limits, so that a provider cannot grow our state.
    pub fn clipped(mut self) -> Self {
        self.code = self.code.map(|code| clip(&code, Self::CODE_CHARS_MAX));
        self.detail = self.detail.map(|detail| clip(&detail, Self::DETAIL_CHARS_MAX));
        self
    }
}

fn clip(text: &str, chars: usize) -> String {
    text.chars().filter(|char| !char.is_control()).take(chars).collect()
}

/// What became of one submission.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The provider took the message.
    Accepted(Acceptance),
    /// The provider refused it for good.
    Rejected(Failure),
    /// The provider did not process it and asks to wait (429).
    Throttled {
        /// How long the provider asked to wait, already clamped. `None`: it did not say.
        retry_after_ms: Option<u64>,
        /// What it said.
        failure: Failure,
    },
    /// Nothing reached the provider, or it said that it processed nothing.
    NotSent(Failure),
    /// The provider answered 5xx without saying whether it processed the message.
    ServerError(Failure),
    /// No answer: time-out, lost connection, or a crash between sending and answer.
    Unknown(Failure),
    /// The adapter broke (trap, limit, garbage) before a submitting request went out.
    AdapterFault(Failure),
}

/// What an accepting provider told.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Acceptance {
    /// The provider's id of the message, at most 200 bytes.
    pub provider_message_id: Option<String>,
    /// `Sent` where acceptance is all the provider will ever confirm, else `Accepted`.
    pub level: Option<Level>,
    /// SMS segments, if told.
    pub segments: Option<u16>,
    /// Price, if told.
    pub cost: Option<Money>,
}

/// How far a message got, in ascending order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// The provider took it.
    Accepted,
    /// The provider passed it on.
    Sent,
    /// It reached the recipient's device or mail server.
    Delivered,
    /// The recipient opened it.
    Read,
    /// The recipient's app or the tenant said that it arrived.
    Acknowledged,
}

impl Level {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Read => "read",
            Self::Acknowledged => "acknowledged",
        }
    }
}

/// What a receipt says about an attempt.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReceiptStatus {
    /// It got this far.
    Reached(Level),
    /// It reached the network but not the recipient.
    Undelivered(Failure),
    /// The provider could not send it.
    Failed(Failure),
    /// The provider refused it after accepting it.
    Rejected(Failure),
    /// Its validity ran out at the provider.
    Expired(Failure),
}

/// A verified receipt, as an adapter read it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Receipt {
    /// The provider's id of the message, if the receipt names it.
    pub provider_message_id: Option<String>,
    /// The provider's id of the part, where each part of a long text is reported on its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// What happened.
    pub status: ReceiptStatus,
    /// When, by the provider's clock.
    pub provider_time: Option<UnixMillis>,
    /// SMS segments, if told.
    pub segments: Option<u16>,
    /// Price, if told.
    pub cost: Option<Money>,
}

impl Receipt {
    /// A receipt that says nothing but this.
    pub const fn of(status: ReceiptStatus) -> Self {
        Self {
            provider_message_id: None,
            part: None,
            status,
            provider_time: None,
            segments: None,
            cost: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_provider_cannot_grow_a_failure() {
        let failure = Failure {
            class: ErrorClass::Unknown,
            code: Some("9".repeat(99)),
            detail: Some("é\n".repeat(500)),
        };
        let clipped = failure.clipped();
        assert_eq!(clipped.code.map(|code| code.len()), Some(Failure::CODE_CHARS_MAX));
        assert_eq!(clipped.detail.map(|detail| detail.chars().count()), Some(Failure::DETAIL_CHARS_MAX));
    }
}
