//! Rate cards and what follows from them.

use std::sync::Arc;

use super::{counts, day, eur, key, money, tenant};
use crate::{
    RateCardId, UnixMillis,
    address::Channel,
    calendar::start_of,
    money::Percent,
    pricing::{Charge, Gap, Missing, Rate, RateCard, Refusal, Revenue, admit, in_force, release},
};

fn rate(country: Option<&str>, charge: Charge) -> Rate {
    Rate { channel: Channel::Sms, country: country.map(str::to_owned), charge }
}

fn per_segment(amount: &str) -> Charge {
    Charge::PerUnit(money(amount).micros)
}

/// A card of a number, made on the day on which it begins.
fn card(number: u128, valid_from: &str, rates: Vec<Rate>) -> RateCard {
    let valid_from = day(valid_from);
    RateCard {
        id: RateCardId::new(UnixMillis(0), number),
        tenant: tenant(),
        valid_from,
        currency: eur(),
        rates,
        created_at: start_of(valid_from),
        updated_at: start_of(valid_from),
    }
}

#[test]
fn a_later_card_counts_from_its_first_day_on_and_changes_nothing_before() {
    let first = Arc::new(card(1, "2026-01-01", vec![rate(None, per_segment("0.05"))]));
    let second = Arc::new(card(2, "2026-02-01", vec![rate(None, per_segment("0.06"))]));
    let cards = [second, first];
    let price = |date| {
        let mut revenue = Revenue::default();
        revenue.add(&cards, &key(date, Some("EUR")), &counts(1, 2, "0.04"));
        revenue.price()
    };
    assert_eq!(price("2026-01-31"), Ok(money("0.10")));
    assert_eq!(price("2026-02-01"), Ok(money("0.12")));
    assert_eq!(price("2025-12-31"), Err(vec![Missing { gap: Gap::NoRateCard, accepted: 1 }]));
    assert!(in_force(&cards, day("2025-12-31")).is_none());
}

#[test]
fn a_country_of_its_own_wins_and_units_are_what_the_channel_charges_for() {
    let mut email = rate(Some("SE"), per_segment("0.01"));
    email.channel = Channel::Email;
    let rates = vec![rate(None, per_segment("0.09")), rate(Some("DK"), per_segment("0.05")), email];
    let card = card(1, "2026-01-01", rates);
    let mut used = key("2026-01-01", None);
    let price = |key: &_| card.price(key, &counts(2, 3, "0"));
    assert_eq!(price(&used), Ok(money("0.15")), "segments of SMS");
    used.country = None;
    assert_eq!(price(&used), Ok(money("0.27")), "an unknown country takes the common rate");
    used.channel = Channel::Email;
    assert_eq!(price(&used), Err(Gap::NoRate));
    used.country = Some("SE".into());
    assert_eq!(price(&used), Ok(money("0.02")), "messages of everything else");
}

#[test]
fn a_markup_follows_the_cost_and_never_falls_below_its_minimum() {
    let charge = Charge::Markup { percent: Percent(1_250), minimum_micros: money("0.05").micros };
    let card = card(1, "2026-01-01", vec![rate(None, charge)]);
    let price = |currency, cost| card.price(&key("2026-01-01", currency), &counts(1, 2, cost));
    assert_eq!(price(Some("EUR"), "0.100004"), Ok(money("0.112505")), "rounded to the nearest millionth");
    assert_eq!(price(Some("EUR"), "0.01"), Ok(money("0.10")), "two segments at the minimum");
    assert_eq!(price(None, "0"), Err(Gap::CostUnknown));
    assert_eq!(price(Some("USD"), "0.10"), Err(Gap::CurrenciesDiffer));
}

#[test]
fn a_margin_is_told_only_where_price_and_cost_are_in_one_currency_and_whole() {
    let cards = [Arc::new(card(1, "2026-01-01", vec![rate(Some("DK"), per_segment("0.05"))]))];
    let mut revenue = Revenue::default();
    let nothing = vec![Missing { gap: Gap::NothingBilled, accepted: 0 }];
    revenue.add(&cards, &key("2026-01-01", None), &counts(0, 0, "0"));
    assert_eq!((revenue.price(), revenue.margin()), (Err(nothing.clone()), Err(nothing)));
    revenue.add(&cards, &key("2026-01-01", Some("EUR")), &counts(3, 4, "0.15"));
    let margin = revenue.margin().unwrap();
    assert_eq!((margin.amount, margin.percent), (money("0.05"), Some(Percent(2_500))));

    let mut foreign = revenue.clone();
    foreign.add(&cards, &key("2026-01-01", Some("USD")), &counts(2, 2, "0.03"));
    foreign.add(&cards, &key("2026-01-01", None), &counts(1, 1, "0"));
    assert_eq!(foreign.price(), Ok(money("0.35")), "what it cost does not change a price per unit");
    let gaps = [(Gap::CostUnknown, 1), (Gap::CurrenciesDiffer, 2)];
    let gaps = gaps.map(|(gap, accepted)| Missing { gap, accepted });
    assert_eq!(foreign.margin(), Err(gaps.to_vec()));

    let mut elsewhere = key("2026-01-01", Some("EUR"));
    elsewhere.country = Some("SE".into());
    revenue.add(&cards, &elsewhere, &counts(5, 5, "0.10"));
    assert_eq!(revenue.price(), Err(vec![Missing { gap: Gap::NoRate, accepted: 5 }]), "no part of a sum");
}

#[test]
fn prices_in_two_currencies_are_not_added_up() {
    let euros = Arc::new(card(1, "2026-01-01", vec![rate(None, per_segment("0.05"))]));
    let mut dollars = card(2, "2026-01-02", vec![rate(None, per_segment("0.05"))]);
    dollars.currency = "USD".parse().unwrap();
    let cards = [euros, Arc::new(dollars)];
    let mut revenue = Revenue::default();
    revenue.add(&cards, &key("2026-01-01", Some("EUR")), &counts(1, 1, "0.01"));
    revenue.add(&cards, &key("2026-01-02", Some("USD")), &counts(2, 2, "0.01"));
    let differ = vec![Missing { gap: Gap::CurrenciesDiffer, accepted: 3 }];
    assert_eq!((revenue.price(), revenue.margin()), (Err(differ.clone()), Err(differ)));
}

#[test]
fn days_that_are_over_keep_their_price() {
    let rates = || vec![rate(None, per_segment("0.05"))];
    let old = Arc::new(card(1, "2026-01-10", rates()));
    let cards = [Arc::clone(&old)];
    let today = day("2026-01-20");
    let admitted = |date| admit(&cards, &card(2, date, rates()), today);
    assert_eq!(admitted("2026-01-20"), Ok(()), "today is not over");
    assert_eq!(admitted("2026-01-15"), Err(Refusal::RewritesHistory));
    assert_eq!(admitted("2026-01-10"), Err(Refusal::DayTaken));
    assert_eq!(admitted("2026-01-01"), Ok(()), "nothing was charged for these days");
    assert_eq!(release(&cards, old.id, day("2026-01-10")), Ok(()));
    assert_eq!(release(&cards, old.id, day("2026-01-11")), Err(Refusal::Settled));
    assert_eq!(admit(&cards, &old, today), Err(Refusal::Settled));
    assert_eq!(admit(&cards, &old, day("2026-01-10")), Ok(()), "a card is not in its own way");
    let mut late = card(3, "2026-01-01", rates());
    late.created_at = start_of(today);
    let mended = [old, Arc::new(late.clone())];
    assert_eq!(admit(&mended, &late, today), Ok(()), "on the day on which it was made");
    assert_eq!(admit(&mended, &late, today + 1), Err(Refusal::Settled));
}
