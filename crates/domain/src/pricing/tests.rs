mod cards;
mod comparisons;

use crate::{
    TenantId, UnixMillis,
    address::Channel,
    calendar::parse_date,
    message::Mode,
    money::{Currency, Money},
    tenant::TenantScope,
    usage::{UsageCounts, UsageKey},
};

fn day(date: &str) -> u32 {
    parse_date(date).unwrap()
}

fn eur() -> Currency {
    "EUR".parse().unwrap()
}

fn money(amount: &str) -> Money {
    Money::parse(amount, "EUR").unwrap()
}

fn tenant() -> TenantId {
    TenantId::new(UnixMillis(0), 1)
}

/// SMS to Denmark on a day, at a cost in `currency`.
fn key(date: &str, currency: Option<&str>) -> UsageKey {
    UsageKey {
        day: day(date),
        scope: TenantScope::new(tenant(), Mode::Live),
        channel: Channel::Sms,
        connection: Some("main".into()),
        country: Some("DK".into()),
        currency: currency.map(|code| code.parse().unwrap()),
    }
}

fn counts(accepted: i64, segments: i64, cost: &str) -> UsageCounts {
    UsageCounts { accepted, segments, cost_micros: money(cost).micros, ..UsageCounts::default() }
}
