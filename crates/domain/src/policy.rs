//! What a tenant may send, where to, when, and how much of it.

mod quiet_hours;
mod retention;

use std::{collections::BTreeSet, num::NonZeroU32};

use serde::{Deserialize, Serialize};

use crate::{address::Channel, message::Lane, money::Money};

pub use quiet_hours::{DayMinute, InvalidDayMinute, QuietAction, QuietHours};
pub use retention::{Kept, Periods, Retention};

/// Rules of one tenant, set by operators. Without any, everything is allowed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct TenantPolicy {
    /// Channels that the tenant's plan has; empty: all.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<Channel>,
    /// ISO 3166-1 alpha-2 codes of the countries whose numbers may be written to; empty: all.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<String>,
    /// Hosts that no link may lead to, with everything below them, such as `bit.ly`.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub forbidden_hosts: BTreeSet<String>,
    /// Links through public shorteners are refused: carriers filter such messages.
    pub refuse_shorteners: bool,
    /// When recipients are left alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub quiet_hours: Option<QuietHours>,
    /// Marketing must name a consent that is at most so many days old; `None`: none is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub consent_days_max: Option<u32>,
    /// The same content to the same recipient within so many seconds is a duplicate; `None`: it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate_window_s: Option<u32>,
    /// Most messages that may be accepted in a month, by UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub messages_per_month: Option<NonZeroU32>,
    /// Most that the messages of a month may cost, by UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spend_per_month: Option<Money>,
    /// A sender that a message names must be registered and verified; else only registered ones must be verified.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub require_verified_senders: bool,
    /// ISO 3166-1 alpha-2 codes of countries in which SMS senders need no registration: there the tenant's word is enough.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub unregistered_sender_countries: BTreeSet<String>,
    /// Most messages a period; each that fits must have room.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<MessageRate>,
    /// How long messages are kept; `None`: for ever.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retention: Option<Retention>,
}

/// So many messages a period, sliding.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Serialize, Deserialize)]
pub struct MessageRate {
    /// Only messages whose first step is on this channel; `None`: every message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel: Option<Channel>,
    /// Only messages of this lane; `None`: every lane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane: Option<Lane>,
    /// How many.
    pub messages: NonZeroU32,
    /// In seconds, at most 86,400.
    pub period_s: NonZeroU32,
}

impl TenantPolicy {
    /// Whether it says nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the plan has `channel`.
    pub fn has(&self, channel: Channel) -> bool {
        self.channels.is_empty() || self.channels.contains(&channel)
    }

    /// Whether numbers of `country` may be written to. One of no country may where every country may.
    pub fn allows(&self, country: Option<&str>) -> bool {
        self.countries.is_empty() || country.is_some_and(|country| self.countries.contains(country))
    }
}

impl MessageRate {
    /// Whether it counts a message.
    pub fn counts(&self, channel: Channel, lane: Lane) -> bool {
        self.channel.is_none_or(|wanted| wanted == channel) && self.lane.is_none_or(|wanted| wanted == lane)
    }
}
