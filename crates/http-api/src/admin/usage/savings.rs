//! `GET /admin/v1/usage/savings`.

use std::{collections::BTreeMap, sync::Arc};

use axum::{extract::State, http::Uri, response::Response};
use hermes_directory::{ConnectionEntry, Snapshot};
use hermes_domain::{
    address::Channel,
    calendar::day_of,
    message::Mode,
    money::{Currency, Money},
    pricing::{Comparison, Offer, Period, Quote, QuoteTerms, Used, compare},
    usage::{UsageCounts, UsageKey},
};

use super::{
    Whose,
    comparison::{Carrier, SavingsReport, Source},
    counts, tenant_of,
};
use crate::{api::Api, gate::Operator, problem::Problem, query::Query, reply, usage::Amount, usage::days};

/// Most entries of one answer.
const LIMIT_MAX: usize = 1_000;
const LIMIT_DEFAULT: usize = 100;

pub(super) async fn read(State(api): State<Arc<Api>>, _: Operator, uri: Uri) -> Result<Response, Problem> {
    let mut query = Query::of(&uri);
    let asked = days(&mut query, api.now());
    let limit = query.read("limit", "a whole number from 1 to 1000", |text| {
        text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit))
    });
    let whose = Whose { tenant: tenant_of(&mut query), mode: Some(Mode::Live) };
    query.finish()?;
    // Days to come would count fees without volume.
    let to_day = asked.to_day.min(day_of(api.now())).max(asked.from_day);
    let period = Period { to_day, ..asked };
    let counts = counts(&api, whose, period).await?;
    let snapshot = api.directory().snapshot();
    let quotes = snapshot.quotes();
    let quotes: Vec<&Quote> = quotes.iter().map(|stored| &*stored.value).collect();
    let all = compare(used(&snapshot, &counts), |used| offers(&snapshot, &quotes, used), period);
    let report = SavingsReport::of(period, total(&all), all, limit.unwrap_or(LIMIT_DEFAULT));
    Ok(reply::ok(&report))
}

/// What each connection carried, apart by currency.
fn used(snapshot: &Snapshot, counts: &[(UsageKey, UsageCounts)]) -> Vec<Used<Carrier>> {
    type Place = (Channel, Option<String>, Carrier, Option<Currency>);
    let mut sums: BTreeMap<Place, (i64, i64)> = BTreeMap::new();
    for (key, counts) in counts {
        let Some(carrier) = carrier(snapshot, key) else { continue };
        let place = (key.channel, key.country.clone(), carrier, key.currency);
        let (units, micros) = sums.entry(place).or_default();
        *units += counts.billed(key.channel);
        *micros = micros.saturating_add(counts.cost_micros);
    }
    let used = |((channel, country, carrier, currency), (units, micros)): (Place, _)| {
        let paid = currency.map(|currency| Money { micros, currency });
        Used { channel, country, carrier, units, paid }
    };
    sums.into_iter().map(used).collect()
}

/// Which connection was counted under a key; `None` where messages are counted. Counts know connections by name.
fn carrier(snapshot: &Snapshot, key: &UsageKey) -> Option<Carrier> {
    let name = key.connection.clone()?;
    let mut serving = snapshot.serving(key.scope.tenant, key.scope.mode);
    let found = serving.find(|connection| connection.channel == key.channel && connection.name == name);
    Some(Carrier {
        id: found.map(|connection| connection.id),
        tenant: found.and_then(|connection| connection.tenant),
        name,
    })
}

/// Other connections that the same tenants may use and that reach the country, by their price tables; and what has been
/// offered.
fn offers(snapshot: &Snapshot, quotes: &[&Quote], used: &Used<Carrier>) -> Vec<Offer<Source>> {
    let country = used.country.as_deref();
    let price = |entry: &ConnectionEntry| {
        let connection = &entry.access.connection;
        let usable = connection.tenant.is_none() || connection.tenant == used.carrier.tenant;
        let same = connection.mode == Mode::Live && connection.channel == used.channel;
        let other = Some(connection.id) != used.carrier.id;
        let reaches = country.is_none_or(|country| entry.terms.reaches(country));
        let price = entry.terms.price(country).filter(|_| usable && same && other && reaches)?;
        let (name, source) = (connection.name.clone(), Source::Connection(connection.id));
        Some(Offer { name, source, terms: QuoteTerms::per_unit(price) })
    };
    let connections = snapshot.connections().filter_map(price);
    let quotes = Quote::fitting(quotes.iter().copied(), used.channel, country).into_iter();
    let quotes = quotes.map(|quote| {
        let (name, source) = (quote.name.clone(), Source::Quote(quote.id));
        Offer { name, source, terms: quote.terms }
    });
    connections.chain(quotes).collect()
}

/// The best savings together, by currency.
fn total(all: &[Comparison<Carrier, Source>]) -> Vec<Amount> {
    let mut sums: BTreeMap<Currency, i64> = BTreeMap::new();
    for Money { micros, currency } in all.iter().filter_map(Comparison::best) {
        let sum = sums.entry(currency).or_default();
        *sum = sum.saturating_add(micros);
    }
    sums.into_iter().map(|(currency, micros)| Amount::of(&Money { micros, currency })).collect()
}
