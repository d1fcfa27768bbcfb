//! Rate cards and quotes in the directory.

use std::sync::Arc;

use hermes_directory::{Directory, DirectoryError, QUOTES_MAX, RATE_CARDS_MAX};
use hermes_domain::{
    QuoteId, RateCardId,
    address::Channel,
    calendar::{day_of, start_of},
    pricing::{Charge, Quote, QuoteTerms, Rate, RateCard, Refusal},
};
use hermes_ports::Registry;

use crate::directory::{KEYS, NOW, open, tenant_id};

fn today() -> u32 {
    day_of(NOW)
}

fn card(number: u128, tenant: u128, valid_from: u32) -> RateCard {
    RateCard {
        id: RateCardId::new(NOW, number),
        tenant: tenant_id(tenant),
        valid_from,
        currency: "EUR".parse().unwrap(),
        rates: vec![Rate { channel: Channel::Sms, country: None, charge: Charge::PerUnit(50_000) }],
        created_at: start_of(valid_from),
        updated_at: NOW,
    }
}

fn quote(number: u128, name: &str, country: Option<&str>) -> Quote {
    let terms = QuoteTerms {
        currency: "EUR".parse().unwrap(),
        unit_micros: 20_000,
        monthly_fee_micros: 0,
        monthly_minimum: 0,
    };
    Quote {
        id: QuoteId::new(NOW, number),
        name: name.into(),
        channel: Channel::Sms,
        country: country.map(str::to_owned),
        terms,
        created_at: NOW,
        updated_at: NOW,
    }
}

fn days(directory: &Directory, tenant: u128) -> Vec<u32> {
    directory
        .read(|all| all.rate_cards_of(tenant_id(tenant)).iter().map(|card| card.value.valid_from).collect())
}

#[tokio::test]
async fn rate_cards_are_their_tenant_s_and_outlive_restarts_and_their_tenant() {
    let (registry, directory) = open().await;
    let version = directory.create_rate_card(card(1, 1, today()), today()).await.unwrap();
    directory.create_rate_card(card(2, 1, today() + 1), today()).await.unwrap();
    directory.create_rate_card(card(3, 2, today()), today()).await.unwrap();
    assert_eq!(days(&directory, 1), [today() + 1, today()], "newest first");
    assert!(directory.rate_card(tenant_id(2), RateCardId::new(NOW, 1)).is_none());
    directory.update_rate_card(card(1, 1, today() + 5), Some(version), today()).await.unwrap();
    let stale = directory.update_rate_card(card(1, 1, today()), Some(version), today()).await;
    assert!(matches!(stale, Err(DirectoryError::Conflict)), "{stale:?}");
    directory.delete_tenant(tenant_id(1)).await.unwrap();
    let again = Directory::open(Arc::clone(&registry) as Arc<dyn Registry>, KEYS).await.unwrap();
    for directory in [directory, again] {
        assert_eq!(days(&directory, 1), [today() + 1, today() + 5]);
        assert_eq!(days(&directory, 2), [today()]);
    }
}

#[tokio::test]
async fn rate_cards_that_have_counted_stay_and_there_is_a_limit() {
    let (_, directory) = open().await;
    let (id, tomorrow) = (RateCardId::new(NOW, 1), today() + 1);
    directory.create_rate_card(card(1, 1, today()), today()).await.unwrap();
    let taken = directory.create_rate_card(card(2, 1, today()), today()).await;
    assert!(matches!(taken, Err(DirectoryError::RateCard(Refusal::DayTaken))), "{taken:?}");
    let settled = Refusal::Settled;
    let changed = directory.update_rate_card(card(1, 1, tomorrow), None, tomorrow).await;
    assert!(matches!(changed, Err(DirectoryError::RateCard(refusal)) if refusal == settled));
    let deleted = directory.delete_rate_card(tenant_id(1), id, None, tomorrow).await;
    assert!(matches!(deleted, Err(DirectoryError::RateCard(refusal)) if refusal == settled));
    directory.delete_rate_card(tenant_id(1), id, None, today()).await.unwrap();
    let gone = directory.delete_rate_card(tenant_id(1), id, None, today()).await;
    assert!(matches!(gone, Err(DirectoryError::NotFound)));
    let most = u32::try_from(RATE_CARDS_MAX).unwrap();
    for number in 0..most {
        let card = card(10 + u128::from(number), 1, today() + number);
        directory.create_rate_card(card, today()).await.unwrap();
    }
    let full = directory.create_rate_card(card(9, 1, today() + most), today()).await;
    assert!(matches!(full, Err(DirectoryError::Full { most: RATE_CARDS_MAX, .. })));
}

#[tokio::test]
async fn quotes_have_one_name_for_each_subject_and_outlive_restarts() {
    let (registry, directory) = open().await;
    let version = directory.create_quote(quote(1, "carrier", Some("DK"))).await.unwrap();
    directory.create_quote(quote(2, "carrier", None)).await.unwrap();
    let taken = directory.create_quote(quote(3, "carrier", Some("DK"))).await;
    assert!(matches!(taken, Err(DirectoryError::NameTaken)), "{taken:?}");
    directory.update_quote(quote(1, "carrier", Some("SE")), Some(version)).await.unwrap();
    let stale = directory.update_quote(quote(1, "carrier", Some("DK")), Some(version)).await;
    assert!(matches!(stale, Err(DirectoryError::Conflict)), "{stale:?}");
    directory.delete_quote(QuoteId::new(NOW, 2), None).await.unwrap();
    let again = Directory::open(Arc::clone(&registry) as Arc<dyn Registry>, KEYS).await.unwrap();
    let known = again.read(|all| all.quotes().iter().map(|quote| (*quote.value).clone()).collect::<Vec<_>>());
    assert_eq!(known, [quote(1, "carrier", Some("SE"))]);
    for number in 1..QUOTES_MAX {
        directory.create_quote(quote(10 + number as u128, &format!("q{number}"), None)).await.unwrap();
    }
    let full = directory.create_quote(quote(9, "one more", None)).await;
    assert!(matches!(full, Err(DirectoryError::Full { most: QUOTES_MAX, .. })));
}
