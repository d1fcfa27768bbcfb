//! An accepted message: everything that never changes after acceptance.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

use crate::{
    CascadeTemplateId, MessageId, TenantId, UnixMillis,
    address::{Channel, Destination, Recipient},
    content::Content,
    money::Money,
    plan::Plan,
    template::TemplateUse,
    tenant::TenantScope,
};

/// Which world an object lives in; the two cannot see each other.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Real providers.
    Live,
    /// The simulator, by construction of the route.
    Test,
}

/// Priority class, with queues and budgets of its own.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lane {
    /// One-time passwords: first.
    Otp,
    /// Caused by what the recipient did.
    #[default]
    Transactional,
    /// Campaigns: never delays the others.
    Bulk,
}

impl Lane {
    /// Every lane, most urgent first.
    pub const ALL: [Self; 3] = [Self::Otp, Self::Transactional, Self::Bulk];

    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Otp => "otp",
            Self::Transactional => "transactional",
            Self::Bulk => "bulk",
        }
    }
}

impl Mode {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }
}

/// A step that left the plan, or another thing the tenant should know.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Warning {
    /// Stable code, such as `address_missing`.
    pub code: String,
    /// Words.
    pub detail: String,
    /// JSON pointer into the request.
    pub pointer: String,
}

/// Why a message starts later than it could have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldFor {
    /// The recipient is left alone until the end of quiet hours.
    QuietHours,
}

impl HeldFor {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QuietHours => "quiet_hours",
        }
    }
}

/// Which version of which stored cascade a message runs under.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct CascadeUse {
    /// The stored cascade.
    pub id: CascadeTemplateId,
    /// Its version, from 1.
    pub version: u32,
}

/// What is written once, at acceptance.
///
/// Persisted as JSON with a version: fields may be added, never renamed.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// Format version, [`Envelope::VERSION`] when written by this build.
    pub v: u8,
    /// The message.
    pub id: MessageId,
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// The recipient.
    pub to: Recipient,
    /// ISO 3166-1 alpha-2 code of the country of the recipient's number, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// What to say.
    pub content: Content,
    /// The template that `content` was made from, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateUse>,
    /// How.
    pub plan: Plan,
    /// The stored cascade that `plan` was made from, if one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cascade: Option<CascadeUse>,
    /// Sender per channel, as the tenant named it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sender: BTreeMap<Channel, String>,
    /// Priority class.
    pub lane: Lane,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub send_at: Option<UnixMillis>,
    /// Why `send_at` is later than what the tenant asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_for: Option<HeldFor>,
    /// Most that the message may cost in all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_cost: Option<Money>,
    /// Terminal by then.
    pub expires_at: UnixMillis,
    /// When it was accepted.
    pub created_at: UnixMillis,
    /// At most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// At most 50 keys.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
    /// What the tenant was told at acceptance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
    /// W3C trace context of the request, continued by every later step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The message that ended without reaching anybody and whose place this one takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redrive_of: Option<MessageId>,
    /// When what was personal in it was made unreadable: recipient, content, metadata and warnings are empty then. Known
    /// from what is stored beside it, so that acceptance never writes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased_at: Option<UnixMillis>,
}

impl Envelope {
    /// The version that this build writes.
    pub const VERSION: u8 = 1;

    /// What it belongs to.
    pub const fn scope(&self) -> TenantScope {
        TenantScope::new(self.tenant, self.mode)
    }

    /// The address for an attempt on `channel`. `token` picks the push token and wraps round.
    /// `None` when the recipient has no such address.
    pub fn destination(&self, channel: Channel, token: usize) -> Option<Destination> {
        match channel {
            Channel::Sms => self.to.phone.clone().map(Destination::Sms),
            Channel::Email => self.to.email.clone().map(Destination::Email),
            Channel::Whatsapp => self.to.whatsapp.clone().map(Destination::Whatsapp),
            Channel::Push => {
                let tokens = &self.to.push;
                (!tokens.is_empty()).then(|| Destination::Push(tokens[token % tokens.len()].clone()))
            }
        }
    }
}

impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Envelope").field("id", &self.id).field("tenant", &self.tenant).finish_non_exhaustive()
    }
}
