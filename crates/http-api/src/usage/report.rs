//! Counts in groups, as JSON and as CSV.

use std::collections::BTreeMap;

use axum::response::{IntoResponse as _, Response};
use hermes_domain::{
    calendar::date,
    money::{Currency, Money},
    usage::{UsageCounts, UsageKey},
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{Dimension, UsageQuestion};

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
    /// Messages accepted.
    messages: i64,
    /// Attempts made.
    attempts: i64,
    /// Attempts that a provider took.
    accepted: i64,
    /// SMS segments of those.
    segments: i64,
    /// Attempts that reached the recipient.
    delivered: i64,
    /// What attempts cost, as providers tell, else by price list; one for each currency.
    cost: Vec<Amount>,
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

type Sums = (UsageCounts, BTreeMap<Currency, i64>);

/// Adds counts up in the groups that were asked for.
pub(crate) fn report(question: &UsageQuestion, counts: &[(UsageKey, UsageCounts)]) -> UsageReport {
    let mut groups: BTreeMap<Vec<Option<String>>, Sums> = BTreeMap::new();
    for (key, counts) in counts {
        let group = question.group_by.iter().map(|dimension| dimension.of(key)).collect();
        let (sum, cost) = groups.entry(group).or_default();
        sum.add(*counts, 1);
        if let Some(currency) = key.currency {
            *cost.entry(currency).or_default() += counts.cost_micros;
        }
    }
    let data = groups.into_iter().map(|(group, (sum, cost))| {
        let names = question.group_by.iter().map(|dimension| dimension.as_str());
        let amount = |(currency, micros)| Amount::of(&Money { micros, currency });
        UsageGroup {
            group: names.zip(group).collect(),
            messages: sum.messages,
            attempts: sum.attempts,
            accepted: sum.accepted,
            segments: sum.segments,
            delivered: sum.delivered,
            cost: cost.into_iter().map(amount).collect(),
        }
    });
    UsageReport { from: date(question.from_day), to: date(question.to_day), data: data.collect() }
}

/// The same as a file: a line for each group; costs in further columns, one for each currency that occurs.
pub(crate) fn csv(question: &UsageQuestion, report: &UsageReport) -> Response {
    let currencies: std::collections::BTreeSet<&str> =
        report.data.iter().flat_map(|group| &group.cost).map(|cost| cost.currency.as_str()).collect();
    let mut file = csv::Writer::from_writer(Vec::new());
    let names: Vec<&str> = question.group_by.iter().map(|dimension| dimension.as_str()).collect();
    let mut header: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    header.extend(["messages", "attempts", "accepted", "segments", "delivered"].map(str::to_owned));
    header.extend(currencies.iter().map(|currency| format!("cost_{currency}")));
    let mut lines = vec![header];
    for group in &report.data {
        let mut line: Vec<String> =
            names.iter().map(|name| group.group.get(name).cloned().flatten().unwrap_or_default()).collect();
        let counts = [group.messages, group.attempts, group.accepted, group.segments, group.delivered];
        line.extend(counts.map(|count| count.to_string()));
        line.extend(currencies.iter().map(|currency| {
            let found = group.cost.iter().find(|cost| cost.currency == *currency);
            found.map_or_else(|| "0.00".to_owned(), |cost| cost.amount.clone())
        }));
        lines.push(line);
    }
    for line in lines {
        if file.write_record(line).is_err() {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    }
    let content_type = HeaderValue::from_static("text/csv; charset=utf-8");
    match file.into_inner() {
        Ok(text) => ([(header::CONTENT_TYPE, content_type)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

impl Dimension {
    /// Every dimension, for operators.
    pub(crate) const ALL: &'static [Self] =
        &[Self::Day, Self::Tenant, Self::Mode, Self::Channel, Self::Provider, Self::Country];
}
