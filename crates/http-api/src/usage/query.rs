//! Which counts are asked for, and in which groups.

use hermes_domain::{
    UnixMillis,
    calendar::{date, day_of, first_of_month, parse_date},
    pricing::Period,
    tenant::TenantScope,
    usage::{UsageCounts, UsageKey},
};
use hermes_ports::usage_log::UsageQuery;

use crate::{
    api::Api,
    problem::{Code, Problem},
    query::Query,
};

/// Most days of one question.
const DAYS_MAX: u32 = 400;
/// Most counts that one question reads.
const COUNTS_MAX: usize = 200_000;

/// What counts are grouped by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Dimension {
    Day,
    Tenant,
    Mode,
    Channel,
    Provider,
    Country,
}

impl Dimension {
    /// Every dimension, for operators.
    pub(crate) const ALL: &'static [Self] =
        &[Self::Day, Self::Tenant, Self::Mode, Self::Channel, Self::Provider, Self::Country];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Tenant => "tenant_id",
            Self::Mode => "mode",
            Self::Channel => "channel",
            Self::Provider => "provider",
            Self::Country => "country",
        }
    }

    /// What a count stands under; `None`: nothing is known.
    pub(crate) fn of(self, key: &UsageKey) -> Option<String> {
        match self {
            Self::Day => Some(date(key.day)),
            Self::Tenant => Some(key.scope.tenant.to_string()),
            Self::Mode => Some(key.scope.mode.as_str().to_owned()),
            Self::Channel => Some(key.channel.as_str().to_owned()),
            Self::Provider => key.connection.clone(),
            Self::Country => key.country.clone(),
        }
    }
}

/// A question.
#[derive(Debug)]
pub(crate) struct UsageQuestion {
    pub(crate) days: Period,
    pub(crate) group_by: Vec<Dimension>,
    pub(crate) as_csv: bool,
}

impl UsageQuestion {
    /// Takes its parameters out of a query.
    pub(crate) fn of(query: &mut Query<'_>, dimensions: &[Dimension], now: UnixMillis) -> Self {
        let days = days(query, now);
        let names: Vec<&str> = dimensions.iter().map(|dimension| dimension.as_str()).collect();
        let expected = format!("some of {}, separated by commas", names.join(", "));
        let group_by = query.read("group_by", &expected, |text| {
            let known = |name: &str| dimensions.iter().copied().find(|dimension| dimension.as_str() == name);
            let mut wanted = Vec::new();
            for name in text.split(',') {
                let dimension = known(name.trim())?;
                if !wanted.contains(&dimension) {
                    wanted.push(dimension);
                }
            }
            Some(wanted)
        });
        let as_csv = query.read("format", "json or csv", |text| match text {
            "json" => Some(false),
            "csv" => Some(true),
            _ => None,
        });
        let (group_by, as_csv) = (group_by.unwrap_or_default(), as_csv.unwrap_or_default());
        Self { days, group_by, as_csv }
    }
}

/// Takes the days that are asked for out of a query.
pub(crate) fn days(query: &mut Query<'_>, now: UnixMillis) -> Period {
    let today = day_of(now);
    let from_day = query.read("from", "a date such as 2026-01-31", parse_date);
    let to_day = query.read("to", "a date such as 2026-01-31", parse_date).unwrap_or(today);
    let from_day = from_day.unwrap_or_else(|| first_of_month(today).min(to_day));
    if from_day > to_day || to_day - from_day > DAYS_MAX {
        query.fault("to", format!("expected `from` or a day at most {DAYS_MAX} days after it"));
    }
    Period { from_day, to_day }
}

/// Reads what a question is about.
pub(crate) async fn read_counts(
    api: &Api,
    scope: Option<TenantScope>,
    days: Period,
) -> Result<Vec<(UsageKey, UsageCounts)>, Problem> {
    let query = UsageQuery { scope, from_day: days.from_day, to_day: days.to_day };
    let counts = api.ports.usage.counts(query, COUNTS_MAX + 1).await?;
    if counts.len() > COUNTS_MAX {
        let detail = format!("There are more than {COUNTS_MAX} counts; ask for fewer days.");
        return Err(Problem::new(Code::ParameterInvalid, detail));
    }
    Ok(counts)
}
