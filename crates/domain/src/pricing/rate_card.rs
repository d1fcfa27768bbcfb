//! What a tenant pays, from some day on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    RateCardId, TenantId, UnixMillis,
    address::Channel,
    calendar::day_of,
    money::{Currency, Money, Percent},
    usage::{UsageCounts, UsageKey},
};

/// What a tenant pays from a day on, until a later card begins.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RateCard {
    /// Which.
    pub id: RateCardId,
    /// Whose.
    pub tenant: TenantId,
    /// First day, as days since 1970-01-01 UTC. Two cards of a tenant never begin on the same one.
    pub valid_from: u32,
    /// Of every rate.
    pub currency: Currency,
    /// At most one for each channel and country.
    pub rates: Vec<Rate>,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Last change.
    pub updated_at: UnixMillis,
}

/// One line of a card.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rate {
    /// Of what.
    pub channel: Channel,
    /// ISO 3166-1 alpha-2 code of the recipient's number; `None`: every country without a rate of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// How much.
    pub charge: Charge,
}

/// How a price comes about. A unit is a segment where the channel has segments, else a message that a provider took.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Charge {
    /// So many millionths for each unit, whatever it cost.
    PerUnit(i64),
    /// What it cost and `percent` on top.
    Markup {
        /// On top of cost.
        percent: Percent,
        /// Least price of a unit, in millionths; it is held against all units of a day, connection and country together.
        minimum_micros: i64,
    },
}

/// Why a figure is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Gap {
    /// Nothing was taken by a provider, so nothing is charged for.
    NothingBilled,
    /// The tenant had no rate card on that day.
    NoRateCard,
    /// Its card has no rate for the channel and country.
    NoRate,
    /// Neither the provider nor a price table tells what it cost.
    CostUnknown,
    /// Amounts are in several currencies; nothing is converted.
    CurrenciesDiffer,
}

/// Why a change of rate cards is refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// The card has counted for a day that is over.
    Settled,
    /// Another card of the tenant begins on that day.
    DayTaken,
    /// It would begin on a day that is over and had a card already.
    RewritesHistory,
}

impl RateCard {
    /// The rate for `channel` and `country`; an unknown country takes the common one.
    pub fn rate(&self, channel: Channel, country: Option<&str>) -> Option<&Rate> {
        let of_channel = || self.rates.iter().filter(|rate| rate.channel == channel);
        let own = of_channel().find(|rate| country.is_some() && rate.country.as_deref() == country);
        own.or_else(|| of_channel().find(|rate| rate.country.is_none()))
    }

    /// What the tenant pays for counts of a day on which this card is in force.
    ///
    /// # Errors
    /// `NoRate`; `CostUnknown` and `CurrenciesDiffer` only where the price follows from the cost.
    pub fn price(&self, key: &UsageKey, counts: &UsageCounts) -> Result<Money, Gap> {
        let units = i128::from(counts.billed(key.channel));
        let rate = self.rate(key.channel, key.country.as_deref()).ok_or(Gap::NoRate)?;
        let micros = match rate.charge {
            Charge::PerUnit(micros) => i128::from(micros) * units,
            Charge::Markup { percent, minimum_micros } => match key.currency {
                None => return Err(Gap::CostUnknown),
                Some(currency) if currency != self.currency => return Err(Gap::CurrenciesDiffer),
                Some(_) => percent.on_top_of(counts.cost_micros).max(i128::from(minimum_micros) * units),
            },
        };
        Ok(Money { micros: i64::try_from(micros).unwrap_or(i64::MAX), currency: self.currency })
    }

    /// Whether it counted on a day that is over: it does not change any more. On the day on which it was made it can
    /// still be mended.
    pub fn is_settled(&self, today: u32) -> bool {
        today > self.valid_from.max(day_of(self.created_at))
    }
}

/// The card that counts on `day`. `cards` are one tenant's, in any order.
pub fn in_force(cards: &[Arc<RateCard>], day: u32) -> Option<&Arc<RateCard>> {
    cards.iter().filter(|card| card.valid_from <= day).max_by_key(|card| card.valid_from)
}

/// Whether `card` may be added to its tenant's `cards`, or replace the one with its id, on `today`: what was charged for
/// days that are over stays.
///
/// # Errors
/// Says what it would change.
pub fn admit(cards: &[Arc<RateCard>], card: &RateCard, today: u32) -> Result<(), Refusal> {
    release(cards, card.id, today)?;
    let others: Vec<_> = cards.iter().filter(|other| other.id != card.id).cloned().collect();
    if others.iter().any(|other| other.valid_from == card.valid_from) {
        return Err(Refusal::DayTaken);
    }
    let over = card.valid_from < today;
    if over && in_force(&others, card.valid_from).is_some() { Err(Refusal::RewritesHistory) } else { Ok(()) }
}

/// Whether the card with this id, if there is one, may go.
///
/// # Errors
/// `Settled`.
pub fn release(cards: &[Arc<RateCard>], id: RateCardId, today: u32) -> Result<(), Refusal> {
    let settled = cards.iter().any(|card| card.id == id && card.is_settled(today));
    if settled { Err(Refusal::Settled) } else { Ok(()) }
}
