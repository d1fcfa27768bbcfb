//! Counts in groups.

use std::collections::BTreeMap;

use hermes_domain::{
    calendar::date,
    money::{Currency, Money},
    usage::{UsageCounts, UsageKey},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::UsageQuestion;

/// Counts of some days.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UsageReport {
    /// First day.
    from: String,
    /// Last day, included.
    to: String,
    /// One for each group, ordered by what they are grouped by.
    pub(crate) data: Vec<UsageGroup>,
}

/// Counts of one group. Fields that are not grouped by are absent; null: nothing is known.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct UsageGroup {
    /// What the group is, such as `{"channel": "sms", "country": "DK"}`; null: nothing is known.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub(crate) group: BTreeMap<&'static str, Option<String>>,
    /// Messages accepted. Grouped by provider they stand under null, where nothing else is counted: a message has no
    /// provider of its own, each of its attempts has one.
    pub(crate) messages: i64,
    /// Attempts made.
    pub(crate) attempts: i64,
    /// Attempts that a provider took.
    pub(crate) accepted: i64,
    /// SMS segments of those.
    pub(crate) segments: i64,
    /// Attempts that reached the recipient.
    pub(crate) delivered: i64,
    /// What attempts cost, as providers tell, else by price list; one for each currency.
    pub(crate) cost: Vec<Amount>,
}

/// An amount of money.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct Amount {
    /// Decimal.
    pub(crate) amount: String,
    /// ISO 4217 code.
    pub(crate) currency: String,
}

impl Amount {
    pub(crate) fn of(money: &Money) -> Self {
        Self { amount: money.amount(), currency: money.currency.as_str().to_owned() }
    }
}

/// What a group stands for, one entry for each dimension that was asked for.
pub(crate) type Place = Vec<Option<String>>;

/// Counts of a group, added up.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    counts: UsageCounts,
    cost: BTreeMap<Currency, i64>,
}

impl Sums {
    pub(crate) fn add(&mut self, key: &UsageKey, counts: &UsageCounts) {
        self.counts.add(*counts, 1);
        if let Some(currency) = key.currency {
            *self.cost.entry(currency).or_default() += counts.cost_micros;
        }
    }

    /// As it is shown.
    pub(crate) fn shown(self, question: &UsageQuestion, place: Place) -> UsageGroup {
        let names = question.group_by.iter().map(|dimension| dimension.as_str());
        let amount = |(currency, micros)| Amount::of(&Money { micros, currency });
        UsageGroup {
            group: names.zip(place).collect(),
            messages: self.counts.messages,
            attempts: self.counts.attempts,
            accepted: self.counts.accepted,
            segments: self.counts.segments,
            delivered: self.counts.delivered,
            cost: self.cost.into_iter().map(amount).collect(),
        }
    }
}

/// Lets `add` take each count into the group that was asked for.
pub(crate) fn grouped<S: Default>(
    question: &UsageQuestion,
    counts: &[(UsageKey, UsageCounts)],
    add: impl Fn(&mut S, &UsageKey, &UsageCounts),
) -> BTreeMap<Place, S> {
    let mut groups: BTreeMap<Place, S> = BTreeMap::new();
    for (key, counts) in counts {
        let place = question.group_by.iter().map(|dimension| dimension.of(key)).collect();
        add(groups.entry(place).or_default(), key, counts);
    }
    groups
}

/// Adds counts up in the groups that were asked for.
pub(crate) fn report(question: &UsageQuestion, counts: &[(UsageKey, UsageCounts)]) -> UsageReport {
    let groups = grouped(question, counts, Sums::add);
    let data = groups.into_iter().map(|(place, sums)| sums.shown(question, place)).collect();
    UsageReport { from: date(question.days.from_day), to: date(question.days.to_day), data }
}
