//! The report of savings as it is shown.

use hermes_domain::{
    ConnectionId, QuoteId, TenantId,
    calendar::date,
    money::Money,
    pricing::{Alternative, Comparison, Period, QuoteTerms, Verdict},
};
use serde::Serialize;
use utoipa::ToSchema;

use crate::usage::Amount;

/// Most alternatives shown of one entry; the best ones.
const ALTERNATIVES_MAX: usize = 20;

/// A connection that carried something.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Carrier {
    pub(super) name: String,
    /// `None`: it is gone, or has another name now.
    pub(super) id: Option<ConnectionId>,
    /// Whose; `None`: everybody's.
    pub(super) tenant: Option<TenantId>,
}

/// Where an alternative comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    Connection(ConnectionId),
    Quote(QuoteId),
}

/// What was paid for live messages, and what else could have been.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct SavingsReport {
    /// First day.
    from: String,
    /// Last day, included; today where later ones were asked for.
    to: String,
    /// How many days these are; monthly fees and minimums count by their share of them.
    days: u32,
    /// What the best alternatives of all entries would have saved together, one for each currency.
    savings: Vec<Amount>,
    /// By currency, then by saving, largest first; what has no known cost comes last.
    data: Vec<SavingsEntry>,
    /// Whether there are more entries than were asked for.
    has_more: bool,
}

/// What one connection carried to one country on one channel, in one currency.
#[derive(Debug, Serialize, ToSchema)]
struct SavingsEntry {
    /// What was sent.
    channel: &'static str,
    /// ISO 3166-1 alpha-2 code; null: unknown.
    country: Option<String>,
    /// Name of the connection.
    provider: String,
    /// Its id; null: it is gone, or has another name now.
    provider_id: Option<String>,
    /// Whose it is; null: everybody's.
    tenant_id: Option<String>,
    /// SMS segments, or messages of another channel, that the provider took.
    units: i64,
    /// What that cost; null: unknown.
    paid: Option<Amount>,
    /// What else could have carried it, the largest saving first, then the cheapest.
    alternatives: Vec<AlternativeView>,
}

/// Something else that could have carried the same.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Alternative)]
struct AlternativeView {
    /// `connection`: by its price table. `quote`: a recorded offer.
    kind: &'static str,
    /// Id of the connection or offer.
    id: String,
    /// Its name.
    name: String,
    /// What it takes for each segment or message.
    price: Amount,
    /// What it takes each month besides; null: nothing.
    monthly_fee: Option<Amount>,
    /// What it would have cost.
    cost: Amount,
    /// What that would have saved; null: see `reason`.
    saving: Option<SavingView>,
    /// `dearer`: it costs as much or more. `currencies_differ`: nothing is converted. `cost_unknown`: what was paid is not
    /// known. Null where it saves.
    reason: Option<&'static str>,
    /// The least number of segments or messages a month at which it is cheaper than what was paid for each; null: never,
    /// or not known.
    break_even_per_month: Option<i64>,
}

/// What would have been saved.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Saving)]
struct SavingView {
    /// Decimal.
    amount: String,
    /// ISO 4217 code.
    currency: String,
    /// Decimal percentage of what was paid, to the hundredth.
    percent: String,
}

impl SavingsReport {
    /// Shows at most `limit` of `all`; `savings` are those of all.
    pub(super) fn of(
        period: Period,
        savings: Vec<Amount>,
        all: Vec<Comparison<Carrier, Source>>,
        limit: usize,
    ) -> Self {
        Self {
            from: date(period.from_day),
            to: date(period.to_day),
            days: period.days(),
            savings,
            has_more: all.len() > limit,
            data: all.into_iter().take(limit).map(entry).collect(),
        }
    }
}

fn entry(Comparison { used, alternatives }: Comparison<Carrier, Source>) -> SavingsEntry {
    SavingsEntry {
        channel: used.channel.as_str(),
        country: used.country,
        provider: used.carrier.name,
        provider_id: used.carrier.id.map(|id| id.to_string()),
        tenant_id: used.carrier.tenant.map(|tenant| tenant.to_string()),
        units: used.units,
        paid: used.paid.as_ref().map(Amount::of),
        alternatives: alternatives.into_iter().take(ALTERNATIVES_MAX).map(alternative).collect(),
    }
}

fn alternative(Alternative { offer, cost, verdict, break_even }: Alternative<Source>) -> AlternativeView {
    let (kind, id) = match offer.source {
        Source::Connection(id) => ("connection", id.to_string()),
        Source::Quote(id) => ("quote", id.to_string()),
    };
    let QuoteTerms { currency, unit_micros, monthly_fee_micros, .. } = offer.terms;
    let amount = |micros| Amount::of(&Money { micros, currency });
    let (saving, reason) = shown(verdict);
    AlternativeView {
        kind,
        id,
        name: offer.name,
        price: amount(unit_micros),
        monthly_fee: (monthly_fee_micros > 0).then(|| amount(monthly_fee_micros)),
        cost: Amount::of(&cost),
        saving,
        reason,
        break_even_per_month: break_even.and_then(|volume| volume.try_into().ok()),
    }
}

fn shown(verdict: Verdict) -> (Option<SavingView>, Option<&'static str>) {
    match verdict {
        Verdict::Saves { amount, percent } => {
            let Amount { amount, currency } = Amount::of(&amount);
            (Some(SavingView { amount, currency, percent: percent.to_string() }), None)
        }
        Verdict::Dearer => (None, Some("dearer")),
        Verdict::CurrenciesDiffer => (None, Some("currencies_differ")),
        Verdict::CostUnknown => (None, Some("cost_unknown")),
    }
}
