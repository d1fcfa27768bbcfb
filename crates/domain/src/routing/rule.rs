//! A tenant's own rules: which messages they are about, and what they ask for.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::mix;
use crate::{address::Channel, connection::Connection, message::Lane};

/// A rule. Names are those of connections, or of their providers.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct RouteRule {
    /// Which messages it is about.
    #[serde(default)]
    pub when: Match,
    /// These go first, in this order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefer: Vec<String>,
    /// These share the first place by weight; behind those of `prefer`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: BTreeMap<String, u32>,
    /// These are not used.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub exclude: BTreeSet<String>,
}

/// What a message must be for a rule to be about it; what is empty is not asked.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Match {
    /// On one of these channels.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub channels: BTreeSet<Channel>,
    /// To a number of one of these countries, as ISO 3166-1 alpha-2 codes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub countries: BTreeSet<String>,
    /// To a number that begins with one of these, in E.164 with its `+`.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub prefixes: BTreeSet<String>,
    /// From one of these senders.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub senders: BTreeSet<String>,
    /// In one of these lanes.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub lanes: BTreeSet<Lane>,
    /// With one of these tags.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub tags: BTreeSet<String>,
}

/// What rules look at.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The step's channel.
    pub channel: Channel,
    /// Country of the number, if it has one.
    pub country: Option<&'a str>,
    /// The number in E.164, on channels that have one.
    pub number: Option<&'a str>,
    /// The sender that the message names.
    pub sender: Option<&'a str>,
    /// Its lane.
    pub lane: Lane,
    /// Its tags.
    pub tags: &'a [String],
}

impl Match {
    /// Whether the rule is about a message.
    pub fn fits(&self, subject: &Subject<'_>) -> bool {
        let within = |set: &BTreeSet<String>, text: Option<&str>| {
            set.is_empty() || text.is_some_and(|text| set.contains(text))
        };
        let begins = |number: &str| self.prefixes.iter().any(|prefix| number.starts_with(prefix.as_str()));
        (self.channels.is_empty() || self.channels.contains(&subject.channel))
            && within(&self.countries, subject.country)
            && (self.prefixes.is_empty() || subject.number.is_some_and(begins))
            && within(&self.senders, subject.sender)
            && (self.lanes.is_empty() || self.lanes.contains(&subject.lane))
            && (self.tags.is_empty() || subject.tags.iter().any(|tag| self.tags.contains(tag)))
    }
}

impl RouteRule {
    /// Whether it keeps a connection out.
    pub fn excludes(&self, connection: &Connection) -> bool {
        self.exclude.contains(&connection.name) || self.exclude.contains(&connection.provider)
    }

    /// The place of a connection among those that the rule names; `None` for others. `seed` draws the order of those
    /// with weights: each comes first as often as its weight says.
    pub(super) fn place(&self, connection: &Connection, seed: u64) -> Option<usize> {
        let is_it = |name: &str| name == connection.name || name == connection.provider;
        if let Some(place) = self.prefer.iter().position(|name| is_it(name)) {
            return Some(place);
        }
        let order = self.drawn(seed);
        order.iter().position(|name| is_it(name)).map(|place| self.prefer.len() + place)
    }

    /// Names with weights, in the order of this draw: by weight without replacement.
    fn drawn(&self, seed: u64) -> Vec<&str> {
        let mut left: Vec<(&str, u64)> = self
            .weights
            .iter()
            .filter(|(_, weight)| **weight > 0)
            .map(|(name, weight)| (name.as_str(), u64::from(*weight)))
            .collect();
        let (mut order, mut chance) = (Vec::with_capacity(left.len()), seed);
        while !left.is_empty() {
            chance = mix(chance);
            let total: u64 = left.iter().map(|(_, weight)| weight).sum();
            let mut mark = chance % total;
            let drawn = left.iter().position(|(_, weight)| {
                let here = mark < *weight;
                mark = mark.saturating_sub(*weight);
                here
            });
            order.push(left.remove(drawn.unwrap_or(0)).0);
        }
        order
    }
}
