//! What others would take for the same: price tables of other connections, and recorded offers.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{
    QuoteId, UnixMillis,
    address::Channel,
    calendar::{first_of_month, first_of_next_month},
    money::{Currency, Money},
};

/// An offer of a carrier or an aggregator, as an operator has recorded it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Quote {
    /// Which.
    pub id: QuoteId,
    /// Whose offer it is. With channel and country it is unique.
    pub name: String,
    /// Of what.
    pub channel: Channel,
    /// ISO 3166-1 alpha-2 code; `None`: every country for which there is no offer of this name and channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// How much.
    pub terms: QuoteTerms,
    /// When it was recorded.
    pub created_at: UnixMillis,
    /// Last change.
    pub updated_at: UnixMillis,
}

/// How much an offer takes. Amounts are millionths of the currency, none is negative.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct QuoteTerms {
    /// Of all amounts.
    pub currency: Currency,
    /// For each segment where the channel has segments, else for each message.
    pub unit_micros: i64,
    /// For each month, whatever is sent.
    #[serde(default)]
    pub monthly_fee_micros: i64,
    /// So many units a month are paid for, even if fewer are sent.
    #[serde(default)]
    pub monthly_minimum: u32,
}

/// Something else that could have carried the same.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Offer<S> {
    /// Whose, for people.
    pub name: String,
    /// Where it comes from.
    pub source: S,
    /// How much.
    pub terms: QuoteTerms,
}

/// Some days, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    /// First day, as days since 1970-01-01 UTC.
    pub from_day: u32,
    /// Last day, not before the first.
    pub to_day: u32,
}

impl Quote {
    /// Offers for `channel` and `country`: of each name the one for the country, else the common one.
    pub fn fitting<'a>(
        quotes: impl Iterator<Item = &'a Self> + Clone,
        channel: Channel,
        country: Option<&str>,
    ) -> Vec<&'a Self> {
        let of_channel = quotes.filter(move |quote| quote.channel == channel);
        let is_own = |quote: &Self| country.is_some() && quote.country.as_deref() == country;
        let own = of_channel.clone().filter(|quote| is_own(quote));
        let names: BTreeSet<&str> = own.map(|quote| quote.name.as_str()).collect();
        let is_common = |quote: &Self| quote.country.is_none() && !names.contains(quote.name.as_str());
        of_channel.filter(|quote| is_own(quote) || is_common(quote)).collect()
    }
}

impl QuoteTerms {
    /// A price for each unit and nothing else.
    pub const fn per_unit(price: Money) -> Self {
        Self {
            currency: price.currency,
            unit_micros: price.micros,
            monthly_fee_micros: 0,
            monthly_minimum: 0,
        }
    }

    /// What `units` in `period` would have cost, in millionths: fee and minimum count by the share of each month that
    /// the period covers.
    pub fn cost(&self, units: i64, period: Period) -> i128 {
        let minimum = period.share(i128::from(self.monthly_minimum));
        let fee = period.share(i128::from(self.monthly_fee_micros));
        i128::from(units).max(minimum) * i128::from(self.unit_micros) + fee
    }

    /// The smallest number of units a month at which this is cheaper than paying `paid` millionths for `units` as
    /// before; `None` when it never is.
    pub fn break_even(&self, paid: i64, units: i64) -> Option<i128> {
        let (paid, units) = (i128::from(paid), i128::from(units));
        let (unit, fee) = (i128::from(self.unit_micros), i128::from(self.monthly_fee_micros));
        let minimum = i128::from(self.monthly_minimum);
        if paid <= 0 || units <= 0 {
            return None;
        }
        // Both sides of `volume * paid / units > fee + max(volume, minimum) * unit`, times `units`.
        let below = (fee + minimum * unit).checked_mul(units)? / paid + 1;
        if below <= minimum {
            return Some(below);
        }
        let gain = paid.checked_sub(unit.checked_mul(units)?)?;
        if gain <= 0 {
            return None;
        }
        fee.checked_mul(units).map(|fee| fee / gain + 1)
    }
}

impl Period {
    /// How many days.
    pub const fn days(&self) -> u32 {
        self.to_day - self.from_day + 1
    }

    /// What is due for the period of something that is due each month: of each month the part of its days, rounded up.
    pub fn share(&self, monthly: i128) -> i128 {
        let mut due = 0;
        let mut day = self.from_day;
        while day <= self.to_day {
            let (first, next) = (first_of_month(day), first_of_next_month(day));
            let days = next.min(self.to_day.saturating_add(1)) - day;
            let of_month = i128::from(next - first);
            due += (monthly * i128::from(days) + of_month - 1) / of_month;
            day = next;
        }
        due
    }
}
