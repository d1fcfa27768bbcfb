//! Suppressions: rules of a tenant that an address must not be written to, and which of them applies.
//!
//! A rule covers an address, a mail domain or the beginning of phone numbers; it may be bound to a channel and to one of
//! the tenant's senders, and it may end. Nothing here looks anything up: the rules that could matter are arguments.

mod coverage;
mod keywords;
mod provider_list;
mod sender;

#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{SuppressionId, TenantId, UnixMillis, address::Channel, message::Mode};

pub use coverage::{Coverage, ERASED_PREFIX, InvalidCoverage};
pub use keywords::{Meaning, meaning};
pub use provider_list::proves_opt_out;
pub use sender::{SenderKey, sender_of};

/// Longest note, in characters.
pub const NOTE_CHARS_MAX: usize = 500;

/// Why an address is suppressed. The names are persisted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionReason {
    /// The recipient said STOP, or unsubscribed.
    OptOut,
    /// The recipient reported a message as unwanted.
    Complaint,
    /// The address does not exist.
    HardBounce,
    /// The tenant wants it so.
    Manual,
}

impl SuppressionReason {
    /// Every reason.
    pub const ALL: [Self; 4] = [Self::OptOut, Self::Complaint, Self::HardBounce, Self::Manual];

    /// Its name in storage and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::Complaint => "complaint",
            Self::HardBounce => "hard_bounce",
            Self::Manual => "manual",
        }
    }
}

/// Where a rule comes from. The names are persisted.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SuppressionSource {
    /// A message from the recipient.
    Inbound,
    /// What a provider told after sending: a bounce, a complaint.
    Receipt,
    /// What a provider told when it refused a message: it has the address on its own list.
    Provider,
    /// The tenant, rule by rule.
    Api,
    /// The tenant, by import.
    Import,
}

impl SuppressionSource {
    /// Every source.
    pub const ALL: [Self; 5] = [Self::Inbound, Self::Receipt, Self::Provider, Self::Api, Self::Import];

    /// Its name in storage and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inbound => "inbound",
            Self::Receipt => "receipt",
            Self::Provider => "provider",
            Self::Api => "api",
            Self::Import => "import",
        }
    }

    /// Whether an opt-out from here is the recipient's own word, which the recipient's START takes back.
    pub const fn is_the_recipients_word(self) -> bool {
        match self {
            Self::Inbound | Self::Provider => true,
            Self::Receipt | Self::Api | Self::Import => false,
        }
    }
}

/// Which of a tenant's senders a recipient's STOP silences.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OptOutScope {
    /// The number or sender that it was sent to.
    Sender,
    /// All of them: whoever writes STOP means the tenant, and the router may choose another number next time.
    #[default]
    All,
}

impl OptOutScope {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Sender, Self::All];

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sender => "sender",
            Self::All => "all",
        }
    }
}

/// A rule. `Debug` never shows the address.
#[derive(Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Which.
    pub id: SuppressionId,
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// What it covers.
    pub covers: Coverage,
    /// On this channel; `None`: on all of them.
    pub channel: Option<Channel>,
    /// For messages from this sender; `None`: from any.
    pub sender: Option<SenderKey>,
    /// Why.
    pub reason: SuppressionReason,
    /// From where.
    pub source: SuppressionSource,
    /// For people, at most [`NOTE_CHARS_MAX`] characters.
    pub note: Option<String>,
    /// Since when.
    pub created_at: UnixMillis,
    /// It applies until then; `None`: for ever.
    pub expires_at: Option<UnixMillis>,
}

impl fmt::Debug for Suppression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suppression")
            .field("id", &self.id)
            .field("tenant", &self.tenant)
            .field("channel", &self.channel)
            .field("reason", &self.reason)
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

/// A message that somebody wants to send, as rules see it.
#[derive(Clone, Copy)]
pub struct Subject<'a> {
    /// On which channel.
    pub channel: Channel,
    /// To which address.
    pub address: &'a str,
    /// From which sender. `None` where it is not known, as with a provider's pool of numbers: it counts as each of
    /// them, so that nobody hears from a number that they silenced.
    pub sender: Option<&'a SenderKey>,
}

impl fmt::Debug for Subject<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").field("channel", &self.channel).finish_non_exhaustive()
    }
}

impl Suppression {
    /// Whether it has ended.
    pub fn is_expired(&self, now: UnixMillis) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// Whether it forbids `subject` at `now`. Tenant and mode are the caller's affair.
    pub fn applies(&self, subject: Subject<'_>, now: UnixMillis) -> bool {
        !self.is_expired(now)
            && self.channel.is_none_or(|channel| channel == subject.channel)
            && self.sender.as_ref().is_none_or(|own| subject.sender.is_none_or(|sender| sender == own))
            && self.covers.covers(subject.channel, subject.address)
    }

    /// More specific rules are greater; of equal ones the older is.
    fn rank(&self) -> (usize, bool, bool, std::cmp::Reverse<SuppressionId>) {
        let coverage = self.covers.specificity();
        (coverage, self.sender.is_some(), self.channel.is_some(), std::cmp::Reverse(self.id))
    }
}

/// The rule that forbids `subject` at `now`, if one does: the most specific of those that apply. What it covers counts
/// first (an address before longer and shorter prefixes or domains), then whether it names the sender, then the channel.
///
/// `rules` may be in any order and hold rules that have nothing to do with the subject.
pub fn applying<'a>(
    rules: impl IntoIterator<Item = &'a Suppression>,
    subject: Subject<'_>,
    now: UnixMillis,
) -> Option<&'a Suppression> {
    rules.into_iter().filter(|rule| rule.applies(subject, now)).max_by_key(|rule| rule.rank())
}
