//! What tenants pay beside what it cost, added up.

use std::{collections::BTreeMap, sync::Arc};

use super::rate_card::{Gap, RateCard, in_force};
use crate::{
    money::{Currency, Money, Percent},
    usage::{UsageCounts, UsageKey},
};

/// Sums of prices and costs. A sum is told only where it is the whole one: in one currency, with nothing missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Revenue {
    price: Sum,
    /// Price and cost of what has both, in the same currency.
    margin: Sum,
}

/// What is left of a price when the cost is paid.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Margin {
    /// Negative where the cost was higher.
    pub amount: Money,
    /// Of the price; `None` of a price of nothing.
    pub percent: Option<Percent>,
}

/// Why a sum is not told, and of how many messages that a provider took that is true.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Missing {
    /// Why.
    pub gap: Gap,
    /// Attempts that a provider took; zero for [`Gap::NothingBilled`].
    pub accepted: i64,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Sum {
    /// Price, the cost of the same, and how many were taken.
    by_currency: BTreeMap<Currency, (i64, i64, i64)>,
    gaps: BTreeMap<Gap, i64>,
}

impl Revenue {
    /// Adds what was counted under one key. `cards` are those of the key's tenant.
    pub fn add(&mut self, cards: &[Arc<RateCard>], key: &UsageKey, counts: &UsageCounts) {
        if counts.accepted == 0 {
            return;
        }
        let card = in_force(cards, key.day).ok_or(Gap::NoRateCard);
        let price = card.and_then(|card| card.price(key, counts));
        self.price.add(price.map(|price| (price, 0)), counts.accepted);
        let margin = price.and_then(|price| match key.currency {
            None => Err(Gap::CostUnknown),
            Some(currency) if currency != price.currency => Err(Gap::CurrenciesDiffer),
            Some(_) => Ok((price, counts.cost_micros)),
        });
        self.margin.add(margin, counts.accepted);
    }

    /// What is paid for all of it.
    ///
    /// # Errors
    /// What is missing for that, one entry a reason, never none.
    pub fn price(&self) -> Result<Money, Vec<Missing>> {
        self.price.whole().map(|(price, _)| price)
    }

    /// What is left of all of it.
    ///
    /// # Errors
    /// As for [`Self::price`].
    pub fn margin(&self) -> Result<Margin, Vec<Missing>> {
        self.margin.whole().map(|(price, cost)| {
            let micros = price.micros.saturating_sub(cost);
            Margin { amount: Money { micros, ..price }, percent: Percent::of(micros, price.micros) }
        })
    }
}

impl Sum {
    fn add(&mut self, amounts: Result<(Money, i64), Gap>, accepted: i64) {
        match amounts {
            Ok((price, cost)) => {
                let (prices, costs, count) = self.by_currency.entry(price.currency).or_default();
                *prices = prices.saturating_add(price.micros);
                *costs = costs.saturating_add(cost);
                *count += accepted;
            }
            Err(gap) => *self.gaps.entry(gap).or_default() += accepted,
        }
    }

    fn whole(&self) -> Result<(Money, i64), Vec<Missing>> {
        let mut gaps = self.gaps.clone();
        let mut sums = self.by_currency.iter();
        match (sums.next(), sums.next()) {
            (Some((currency, (micros, cost, _))), None) if gaps.is_empty() => {
                return Ok((Money { micros: *micros, currency: *currency }, *cost));
            }
            (Some(_), Some(_)) => {
                let several: i64 = self.by_currency.values().map(|(_, _, count)| count).sum();
                *gaps.entry(Gap::CurrenciesDiffer).or_default() += several;
            }
            (None, _) if gaps.is_empty() => drop(gaps.insert(Gap::NothingBilled, 0)),
            (Some(_), None) | (None, _) => {}
        }
        Err(gaps.into_iter().map(|(gap, accepted)| Missing { gap, accepted }).collect())
    }
}
