//! `GET /admin/v1/usage`.

use std::sync::Arc;

use axum::{extract::State, http::Uri, response::Response};
use hermes_directory::Snapshot;
use hermes_domain::{
    calendar::date,
    pricing::{Gap, Margin, Missing, Revenue},
    usage::{UsageCounts, UsageKey},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{super::keys::MODES, Whose, counts, tenant_of};
use crate::{
    api::Api,
    gate::Operator,
    problem::Problem,
    query::Query,
    reply,
    usage::{Amount, Dimension, Further, Sums, UsageGroup, UsageQuestion, csv, grouped},
};

/// Counts of some days, with what tenants pay for them.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct TenantUsageReport {
    /// First day.
    from: String,
    /// Last day, included.
    to: String,
    /// One for each group, ordered by what they are grouped by.
    data: Vec<TenantUsageGroup>,
}

/// Counts of one group, and the money around them.
#[derive(Debug, Serialize, ToSchema)]
struct TenantUsageGroup {
    #[serde(flatten)]
    counts: UsageGroup,
    /// What tenants pay for all of it by their rate cards; null: see `missing`.
    price: Option<Amount>,
    /// What of that the cost leaves; null: see `missing`.
    margin: Option<MarginView>,
    /// Why a figure is null; empty where none is.
    missing: Vec<MissingView>,
}

/// What of a price the cost leaves.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Margin)]
struct MarginView {
    /// Decimal; negative where the cost was higher.
    amount: String,
    /// ISO 4217 code.
    currency: String,
    /// Decimal percentage of the price, to the hundredth; null of a price of nothing.
    percent: Option<String>,
}

/// Why a figure is null.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = MissingFigure)]
struct MissingView {
    /// `price` or `margin`.
    figure: &'static str,
    /// `nothing_billed`: no provider took anything. `no_rate_card`: the tenant had none on that day. `no_rate`: it has none
    /// for the channel and country. `cost_unknown`: neither provider nor price table tells it. `currencies_differ`: nothing
    /// is converted.
    reason: &'static str,
    /// How many attempts that a provider took that is true of.
    accepted: i64,
}

#[derive(Debug, Default)]
struct Group {
    sums: Sums,
    revenue: Revenue,
}

pub(super) async fn read(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let question = UsageQuestion::of(&mut query, Dimension::ALL, api.now());
    let mode = query.read("mode", "live or test", |text| {
        MODES.iter().find(|(name, _)| *name == text).map(|(_, mode)| *mode)
    });
    let whose = Whose { tenant: tenant_of(&mut query), mode };
    query.finish()?;
    let counts = counts(&api, whose, question.days).await?;
    let report = report(&question, &counts, &api.directory().snapshot());
    Ok(if question.as_csv { file(&question, &report) } else { reply::ok(&report) })
}

fn report(
    question: &UsageQuestion,
    counts: &[(UsageKey, UsageCounts)],
    snapshot: &Snapshot,
) -> TenantUsageReport {
    let groups = grouped(question, counts, |group: &mut Group, key, counts| {
        group.sums.add(key, counts);
        group.revenue.add(snapshot.rate_cards(key.scope.tenant), key, counts);
    });
    let shown = groups.into_iter().map(|(place, Group { sums, revenue })| {
        let mut missing = Vec::new();
        TenantUsageGroup {
            counts: sums.shown(question, place),
            price: known("price", revenue.price(), &mut missing).as_ref().map(Amount::of),
            margin: known("margin", revenue.margin(), &mut missing).map(margin),
            missing,
        }
    });
    let data = shown.collect();
    TenantUsageReport { from: date(question.days.from_day), to: date(question.days.to_day), data }
}

/// A figure, or a note of why it is not known.
fn known<T>(
    figure: &'static str,
    told: Result<T, Vec<Missing>>,
    missing: &mut Vec<MissingView>,
) -> Option<T> {
    let gaps = match told {
        Ok(told) => return Some(told),
        Err(gaps) => gaps,
    };
    let view = |Missing { gap, accepted }| MissingView { figure, reason: reason(gap), accepted };
    missing.extend(gaps.into_iter().map(view));
    None
}

const fn reason(gap: Gap) -> &'static str {
    match gap {
        Gap::NothingBilled => "nothing_billed",
        Gap::NoRateCard => "no_rate_card",
        Gap::NoRate => "no_rate",
        Gap::CostUnknown => "cost_unknown",
        Gap::CurrenciesDiffer => "currencies_differ",
    }
}

fn margin(Margin { amount, percent }: Margin) -> MarginView {
    let Amount { amount, currency } = Amount::of(&amount);
    MarginView { amount, currency, percent: percent.map(|percent| percent.to_string()) }
}

fn file(question: &UsageQuestion, report: &TenantUsageReport) -> Response {
    let names = &["price", "price_currency", "margin", "margin_percent", "missing"];
    let lines = report.data.iter().map(|group| {
        let price = group.price.as_ref();
        let margin = group.margin.as_ref();
        let missing = group.missing.iter();
        let missing =
            missing.map(|MissingView { figure, reason, accepted }| format!("{figure}:{reason}={accepted}"));
        vec![
            price.map(|price| price.amount.clone()).unwrap_or_default(),
            price.map(|price| price.currency.clone()).unwrap_or_default(),
            margin.map(|margin| margin.amount.clone()).unwrap_or_default(),
            margin.and_then(|margin| margin.percent.clone()).unwrap_or_default(),
            missing.collect::<Vec<_>>().join(" "),
        ]
    });
    let groups: Vec<_> = report.data.iter().map(|group| &group.counts).collect();
    csv(question, &groups, Further { names, lines: lines.collect() })
}
