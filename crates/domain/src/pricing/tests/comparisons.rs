//! Offers and where they would have cost less.

use proptest::prelude::*;

use super::{day, eur, money};
use crate::{
    QuoteId, UnixMillis,
    address::Channel,
    money::{Money, Percent},
    pricing::{Comparison, Offer, Period, Quote, QuoteTerms, Used, Verdict, compare},
};

fn terms(unit: &str, fee: &str, monthly_minimum: u32) -> QuoteTerms {
    let (unit_micros, monthly_fee_micros) = (money(unit).micros, money(fee).micros);
    QuoteTerms { currency: eur(), unit_micros, monthly_fee_micros, monthly_minimum }
}

fn period(from: &str, to: &str) -> Period {
    Period { from_day: day(from), to_day: day(to) }
}

fn used(carrier: u8, units: i64, paid: Option<Money>) -> Used<u8> {
    Used { channel: Channel::Sms, country: Some("DK".into()), carrier, units, paid }
}

fn offer(name: &str, terms: QuoteTerms) -> Offer<u8> {
    Offer { name: name.to_owned(), source: 0, terms }
}

#[test]
fn fees_and_minimums_count_by_the_days_of_the_period() {
    let direct = terms("0.02", "310", 3_100);
    let january = period("2026-01-01", "2026-01-31");
    assert_eq!(direct.cost(10_000, january), i128::from(money("510").micros));
    assert_eq!(direct.cost(1_000, january), i128::from(money("372").micros), "3,100 are paid for");
    assert_eq!(direct.cost(0, period("2026-01-01", "2026-01-01")), i128::from(money("12").micros));
    let across = period("2026-01-31", "2026-02-28");
    assert_eq!(across.share(310), 320, "a day of January and all of February");
    assert_eq!((across.days(), period("2026-01-01", "2027-12-31").share(310)), (29, 24 * 310));
}

#[test]
fn the_best_alternative_comes_first_with_what_it_would_have_saved() {
    let january = period("2026-01-01", "2026-01-31");
    let dollars = QuoteTerms { currency: "USD".parse().unwrap(), ..terms("0.001", "0", 0) };
    let offers = |_: &Used<u8>| {
        vec![
            offer("dearer", terms("0.06", "0", 0)),
            offer("dollars", dollars),
            offer("direct", terms("0.02", "100", 0)),
            offer("aggregator", terms("0.045", "0", 0)),
        ]
    };
    let lines = compare([used(1, 10_000, Some(money("500")))], offers, january);
    let shown: Vec<_> = lines[0]
        .alternatives
        .iter()
        .map(|one| (one.offer.name.as_str(), one.verdict, one.break_even))
        .collect();
    let saves = |amount, percent| Verdict::Saves { amount: money(amount), percent: Percent(percent) };
    assert_eq!(
        shown,
        [
            ("direct", saves("200", 4_000), Some(3_334)),
            ("aggregator", saves("50", 1_000), Some(1)),
            ("dearer", Verdict::Dearer, None),
            ("dollars", Verdict::CurrenciesDiffer, None),
        ]
    );
    assert_eq!(lines[0].best(), Some(money("200")));
    let unknown = compare([used(1, 10, None), used(2, 0, Some(money("1")))], offers, january);
    assert_eq!(unknown.len(), 1, "without volume there is nothing to compare");
    assert!(unknown[0].alternatives.iter().all(|one| one.verdict == Verdict::CostUnknown));
}

#[test]
fn an_offer_for_the_country_stands_for_its_name_instead_of_the_common_one() {
    let quote = |name: &str, country: Option<&str>, channel| Quote {
        id: QuoteId::new(UnixMillis(0), 1),
        name: name.into(),
        channel,
        country: country.map(str::to_owned),
        terms: terms("0.01", "0", 0),
        created_at: UnixMillis(0),
        updated_at: UnixMillis(0),
    };
    let quotes = [
        quote("a", None, Channel::Sms),
        quote("a", Some("DK"), Channel::Sms),
        quote("b", None, Channel::Sms),
        quote("c", Some("SE"), Channel::Sms),
        quote("d", None, Channel::Email),
    ];
    let fitting = |country| {
        let found = Quote::fitting(quotes.iter(), Channel::Sms, country).into_iter();
        found.map(|quote| (quote.name.as_str(), quote.country.as_deref())).collect::<Vec<_>>()
    };
    assert_eq!(fitting(Some("DK")), [("a", Some("DK")), ("b", None)]);
    assert_eq!(fitting(None), [("a", None), ("b", None)]);
}

fn any_terms() -> impl Strategy<Value = QuoteTerms> {
    (0..3_i64, 0..200_000_i64, 0..500_000_000_i64, 0..5_000_u32).prop_map(
        |(currency, unit_micros, monthly_fee_micros, monthly_minimum)| QuoteTerms {
            currency: if currency == 0 { "USD".parse().unwrap() } else { eur() },
            unit_micros,
            monthly_fee_micros,
            monthly_minimum,
        },
    )
}

fn any_used() -> impl Strategy<Value = Used<u8>> {
    let paid = prop::option::of((0..2_000_000_000_i64, any::<bool>()));
    (0..4_u8, 0..20_000_i64, paid, 0..3_usize).prop_map(|(carrier, units, paid, country)| {
        let currency = |dollars| if dollars { "USD".parse().unwrap() } else { eur() };
        let paid = paid.map(|(micros, dollars)| Money { micros, currency: currency(dollars) });
        let country = [None, Some("DK"), Some("SE")][country].map(str::to_owned);
        Used { channel: Channel::Sms, country, carrier, units, paid }
    })
}

fn any_offers() -> impl Strategy<Value = Vec<Offer<u8>>> {
    let offer = |(name, source, terms): (u8, u8, _)| Offer { name: format!("{name}"), source, terms };
    prop::collection::vec((0..3_u8, 0..3_u8, any_terms()).prop_map(offer), 0..8)
}

fn any_period() -> impl Strategy<Value = Period> {
    (0..400_u32, 0..400_u32).prop_map(|(start, days)| {
        let from_day = day("2026-01-01") + start;
        Period { from_day, to_day: from_day + days }
    })
}

fn report(used: &[Used<u8>], offers: &[Offer<u8>], period: Period) -> Vec<Comparison<u8, u8>> {
    compare(used.to_vec(), |_| offers.to_vec(), period)
}

proptest! {
    #[test]
    fn savings_are_real_and_ordered(
        used in prop::collection::vec(any_used(), 0..8), offers in any_offers(), period in any_period(),
    ) {
        let lines = report(&used, &offers, period);
        prop_assert_eq!(lines.len(), used.iter().filter(|used| used.units > 0).count());
        for line in &lines {
            prop_assert_eq!(line.alternatives.len(), offers.len(), "no offer is lost");
            for one in &line.alternatives {
                let paid = line.used.paid.filter(|paid| paid.currency == one.cost.currency);
                let less = paid.is_some_and(|paid| one.cost.micros < paid.micros);
                prop_assert_eq!(one.verdict.saving().is_some(), less);
                if let (Verdict::Saves { amount, percent }, Some(paid)) = (one.verdict, paid) {
                    prop_assert!(amount.micros > 0 && (0..=10_000).contains(&percent.0));
                    prop_assert_eq!(amount.micros + one.cost.micros, paid.micros);
                }
            }
            let savings = line.alternatives.iter().map(|one| one.verdict.saving().map_or(0, |saving| saving.micros));
            prop_assert!(savings.rev().is_sorted());
        }
        let places = lines.windows(2).filter(|pair| {
            pair[0].used.paid.map(|paid| paid.currency) == pair[1].used.paid.map(|paid| paid.currency)
        });
        let best = |line: &Comparison<_, _>| line.best().map_or(0, |best| best.micros);
        for pair in places {
            prop_assert!(best(&pair[0]) >= best(&pair[1]));
        }
    }

    #[test]
    fn the_order_of_what_goes_in_does_not_matter(
        (used, mixed) in prop::collection::vec(any_used(), 0..8).prop_flat_map(|used| (Just(used.clone()), Just(used).prop_shuffle())),
        (offers, others) in any_offers().prop_flat_map(|offers| (Just(offers.clone()), Just(offers).prop_shuffle())),
        period in any_period(),
    ) {
        prop_assert_eq!(report(&used, &offers, period), report(&mixed, &others, period));
    }

    #[test]
    fn a_share_is_what_its_days_are_together(
        monthly in 0..1_000_000_000_i128, period in any_period(), cut in any::<prop::sample::Index>(),
    ) {
        let whole = period.share(monthly);
        let first = Period { from_day: period.from_day, to_day: period.from_day + cut.index(period.days() as usize) as u32 };
        let mut parts = first.share(monthly);
        if first.to_day < period.to_day {
            parts += Period { from_day: first.to_day + 1, to_day: period.to_day }.share(monthly);
        }
        prop_assert!((0..=1).contains(&(parts - whole)), "one month is cut, so at most one more is rounded up");
    }

    #[test]
    fn from_the_break_even_on_an_offer_is_cheaper_and_below_it_is_not(
        terms in any_terms(), paid in 1..2_000_000_000_i64, units in 1..20_000_i64,
    ) {
        let month = period("2026-03-01", "2026-03-31");
        let cheaper = |volume: i128| {
            let cost = terms.cost(i64::try_from(volume).unwrap(), month);
            volume * i128::from(paid) > cost * i128::from(units)
        };
        match terms.break_even(paid, units) {
            Some(volume) => prop_assert!(cheaper(volume) && !cheaper(volume - 1) && cheaper(volume * 2 + 1)),
            None => prop_assert!(!cheaper(1) && !cheaper(1_000_000_000)),
        }
    }
}
