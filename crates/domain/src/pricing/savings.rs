//! Where the same would have cost less.

use std::cmp::Reverse;

use super::offer::{Offer, Period};
use crate::{
    address::Channel,
    money::{Money, Percent},
};

/// What one connection carried in a period, in one currency.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Used<K> {
    /// What was carried.
    pub channel: Channel,
    /// ISO 3166-1 alpha-2 code of the recipients' numbers; `None`: unknown.
    pub country: Option<String>,
    /// The connection.
    pub carrier: K,
    /// Segments where the channel has segments, else messages that the provider took.
    pub units: i64,
    /// What that cost; `None`: unknown.
    pub paid: Option<Money>,
}

/// What was used, and what else could have been. The best alternative comes first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Comparison<K, S> {
    /// What was.
    pub used: Used<K>,
    /// What could have been.
    pub alternatives: Vec<Alternative<S>>,
}

/// What an offer would have meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Alternative<S> {
    /// The offer.
    pub offer: Offer<S>,
    /// What it would have cost.
    pub cost: Money,
    /// Whether that is less.
    pub verdict: Verdict,
    /// The smallest number of units a month at which it is cheaper than what was paid for each; `None` when it never is
    /// or that is not known.
    pub break_even: Option<i128>,
}

/// Whether an offer would have been cheaper.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// By this much, more than nothing.
    Saves {
        /// In the currency of what was paid.
        amount: Money,
        /// Of what was paid.
        percent: Percent,
    },
    /// It would have cost as much, or more.
    Dearer,
    /// It is in another currency than what was paid; nothing is converted.
    CurrenciesDiffer,
    /// What was paid is not known.
    CostUnknown,
}

/// Compares each of `used` with the offers that `offers` finds for it. What follows is ordered by currency, since
/// amounts of different ones cannot be compared, then by saving, largest first; the order of what goes in does not matter.
pub fn compare<K: Ord, S: Ord>(
    used: impl IntoIterator<Item = Used<K>>,
    offers: impl Fn(&Used<K>) -> Vec<Offer<S>>,
    period: Period,
) -> Vec<Comparison<K, S>> {
    let with_volume = used.into_iter().filter(|used| used.units > 0);
    let mut all: Vec<_> = with_volume
        .map(|used| {
            let alternatives = offers(&used).into_iter().map(|offer| judge(&used, offer, period));
            let mut alternatives: Vec<_> = alternatives.collect();
            alternatives.sort_by(|one, other| rank(one).cmp(&rank(other)));
            Comparison { used, alternatives }
        })
        .collect();
    all.sort_by(|one, other| place(one).cmp(&place(other)));
    all
}

impl<K, S> Comparison<K, S> {
    /// What the best alternative would have saved.
    pub fn best(&self) -> Option<Money> {
        self.alternatives.first().and_then(|first| first.verdict.saving())
    }
}

impl Verdict {
    /// More than nothing, if there is one.
    pub const fn saving(self) -> Option<Money> {
        match self {
            Self::Saves { amount, .. } => Some(amount),
            Self::Dearer | Self::CurrenciesDiffer | Self::CostUnknown => None,
        }
    }
}

fn judge<K, S>(used: &Used<K>, offer: Offer<S>, period: Period) -> Alternative<S> {
    let micros = offer.terms.cost(used.units, period);
    let cost = Money { micros: i64::try_from(micros).unwrap_or(i64::MAX), currency: offer.terms.currency };
    let comparable = used.paid.filter(|paid| paid.currency == cost.currency);
    let verdict = match (used.paid, comparable) {
        (None, _) => Verdict::CostUnknown,
        (Some(_), None) => Verdict::CurrenciesDiffer,
        (Some(_), Some(paid)) => saving(paid, cost),
    };
    let break_even = comparable.and_then(|paid| offer.terms.break_even(paid.micros, used.units));
    Alternative { offer, cost, verdict, break_even }
}

fn saving(paid: Money, cost: Money) -> Verdict {
    let micros = paid.micros.saturating_sub(cost.micros);
    match Percent::of(micros, paid.micros) {
        Some(percent) if micros > 0 => Verdict::Saves { amount: Money { micros, ..paid }, percent },
        Some(_) | None => Verdict::Dearer,
    }
}

fn micros(amount: Option<Money>) -> i64 {
    amount.map_or(0, |amount| amount.micros)
}

/// Savings first, the rest from the cheapest on.
fn rank<S: Ord>(one: &Alternative<S>) -> impl Ord {
    (Reverse(micros(one.verdict.saving())), one.cost.currency, one.cost.micros, &one.offer)
}

fn place<K: Ord, S>(one: &Comparison<K, S>) -> impl Ord {
    let Used { channel, country, carrier, units, paid } = &one.used;
    let (currency, paid) = (paid.map(|paid| paid.currency), micros(*paid));
    // What has no known cost comes last.
    (currency.is_none(), currency, Reverse(micros(one.best())), channel, country, carrier, paid, units)
}
