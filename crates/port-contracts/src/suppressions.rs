//! What every keeper of suppressions does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! suppressions_contract {
    ($make:path) => {
        $crate::behaviours!($make, suppressions:
            a_rule_is_kept_as_it_is,
            the_first_of_two_rules_that_say_the_same_stays,
            what_is_imported_stands_already_whoever_made_it,
            a_rule_that_has_expired_gives_way_to_a_new_one,
            tenants_modes_and_channels_are_apart,
            prefixes_domains_and_every_channel_are_found_by_address,
            consent_lifts_the_recipients_own_words_alone,
            consent_is_about_the_sender_that_it_was_told,
            mail_addresses_compare_without_case,
            only_the_version_that_was_seen_is_changed,
            lists_are_newest_first_and_filtered,
            opt_outs_silence_every_sender_unless_one_is_wanted,
        );
    };
}

use hermes_domain::{
    SuppressionId,
    address::Channel,
    message::Mode,
    suppression::{
        Coverage, OptOutScope, SenderKey, Suppression, SuppressionReason as Reason,
        SuppressionSource as Source,
    },
    tenant::TenantScope,
};
use hermes_ports::{
    StoreError,
    suppressions::{Added, SuppressedAddress, SuppressionChange, SuppressionQuery},
};
use hermes_testkit::{START, tenant};

use crate::Ports;

const PHONE: &str = "+4520123456";

fn phone() -> SuppressedAddress {
    SuppressedAddress {
        tenant: tenant(1),
        mode: Mode::Live,
        channel: Channel::Sms,
        address: PHONE.to_owned(),
    }
}

/// The recipient's STOP to one number, a moment later than rule `number - 1`.
fn rule(number: u64) -> Suppression {
    let made = START.plus_ms(number);
    Suppression {
        id: SuppressionId::new(made, number.into()),
        tenant: tenant(1),
        mode: Mode::Live,
        covers: Coverage::exactly(Channel::Sms, PHONE),
        channel: Some(Channel::Sms),
        sender: Some(SenderKey::of("+4550000000")),
        reason: Reason::OptOut,
        source: Source::Inbound,
        note: Some("said so".to_owned()),
        created_at: made,
        expires_at: None,
    }
}

async fn add(ports: &Ports, rule: Suppression) -> Added {
    let added = ports.suppressions.add(vec![rule]).await.unwrap();
    assert_eq!(added.len(), 1);
    added[0]
}

async fn covering(ports: &Ports, of: &SuppressedAddress) -> Vec<u128> {
    let found = ports.suppressions.covering(of).await.unwrap();
    assert!(found.is_empty() || ports.suppressions.may_cover(of), "memory must not deny what is kept");
    let mut numbers: Vec<_> = found.iter().map(|rule| rule.id.as_u128() & 0xffff).collect();
    numbers.sort_unstable();
    numbers
}

/// Every field comes back, and so it does in lists.
pub async fn a_rule_is_kept_as_it_is(ports: &Ports) {
    let plain = Suppression { channel: None, sender: None, note: None, ..rule(2) };
    let ending = Suppression { expires_at: Some(START.plus_s(9)), source: Source::Api, ..rule(1) };
    let added = ports.suppressions.add(vec![ending.clone(), plain.clone()]).await.unwrap();
    assert_eq!(added, [Added::New, Added::New]);
    for one in [&ending, &plain] {
        let found = ports.suppressions.get(tenant(1), Mode::Live, one.id).await.unwrap().unwrap();
        assert_eq!((&found.rule, found.version), (one, 1));
    }
    let all = ports.suppressions.list(SuppressionQuery::all(tenant(1), Mode::Live, 9)).await.unwrap();
    assert_eq!(all.into_iter().map(|stored| stored.rule).collect::<Vec<_>>(), [plain, ending]);
    assert_eq!(ports.suppressions.get(tenant(2), Mode::Live, rule(1).id).await.unwrap(), None);
    assert_eq!(ports.suppressions.get(tenant(1), Mode::Test, rule(1).id).await.unwrap(), None);
}

/// A second STOP does not make it younger; another reason or source is a rule of its own.
pub async fn the_first_of_two_rules_that_say_the_same_stays(ports: &Ports) {
    assert_eq!(add(ports, rule(1)).await, Added::New);
    assert_eq!(add(ports, rule(2)).await, Added::Stands(rule(1).id));
    assert_eq!(add(ports, Suppression { reason: Reason::HardBounce, ..rule(3) }).await, Added::New);
    assert_eq!(add(ports, Suppression { source: Source::Api, ..rule(4) }).await, Added::New);
    assert_eq!(add(ports, Suppression { sender: None, ..rule(5) }).await, Added::New);
    assert_eq!(covering(ports, &phone()).await, [1, 3, 4, 5]);
}

/// So that an export can be imported again: a copy would outlive what lifts the original.
pub async fn what_is_imported_stands_already_whoever_made_it(ports: &Ports) {
    let by = |number, source| Suppression { source, ..rule(number) };
    add(ports, by(1, Source::Inbound)).await;
    assert_eq!(add(ports, by(2, Source::Import)).await, Added::Stands(rule(1).id));
    assert_eq!(add(ports, by(3, Source::Api)).await, Added::New, "others are rules of their own");
}

/// A STOP after the end of a rule counts.
pub async fn a_rule_that_has_expired_gives_way_to_a_new_one(ports: &Ports) {
    add(ports, Suppression { expires_at: Some(START.plus_ms(5)), ..rule(1) }).await;
    assert_eq!(add(ports, rule(4)).await, Added::Stands(rule(1).id));
    assert_eq!(add(ports, rule(5)).await, Added::New);
    assert_eq!(covering(ports, &phone()).await, [5]);
}

/// Nobody's rule touches another tenant, mode or channel.
pub async fn tenants_modes_and_channels_are_apart(ports: &Ports) {
    add(ports, rule(1)).await;
    assert_eq!(covering(ports, &phone()).await, [1]);
    for other in [
        SuppressedAddress { tenant: tenant(2), ..phone() },
        SuppressedAddress { mode: Mode::Test, ..phone() },
        SuppressedAddress { channel: Channel::Whatsapp, ..phone() },
        SuppressedAddress { address: "+4520123457".to_owned(), ..phone() },
    ] {
        assert_eq!(covering(ports, &other).await, [], "{other:?}");
        ports.suppressions.lift(other, rule(1).sender).await.unwrap();
    }
    for other in [TenantScope::new(tenant(2), Mode::Live), TenantScope::new(tenant(1), Mode::Test)] {
        assert!(!ports.suppressions.delete(other, rule(1).id, None).await.unwrap());
        let change = SuppressionChange { note: Some(None), ..SuppressionChange::default() };
        assert_eq!(ports.suppressions.update(other, rule(1).id, None, change).await.unwrap(), None);
    }
    assert_eq!(covering(ports, &phone()).await, [1]);
}

/// Whatever a rule names, an address finds it.
pub async fn prefixes_domains_and_every_channel_are_found_by_address(ports: &Ports) {
    let prefix = |text| Coverage::prefix(None, text).unwrap();
    let rules = vec![
        Suppression { covers: prefix("+4520"), ..rule(1) },
        Suppression { covers: prefix("+4521"), ..rule(2) },
        Suppression { channel: None, ..rule(3) },
        Suppression { covers: Coverage::domain(None, "example.com").unwrap(), channel: None, ..rule(4) },
    ];
    ports.suppressions.add(rules).await.unwrap();
    assert_eq!(covering(ports, &phone()).await, [1, 3]);
    assert_eq!(covering(ports, &SuppressedAddress { channel: Channel::Whatsapp, ..phone() }).await, [3]);
    let mail =
        |address: &str| SuppressedAddress { channel: Channel::Email, address: address.to_owned(), ..phone() };
    assert_eq!(covering(ports, &mail("Ada@eu.Example.com")).await, [4]);
    assert_eq!(covering(ports, &mail("ada@example.org")).await, []);
}

/// START does not revive a mailbox, does not undo a complaint, nor what the tenant has said.
pub async fn consent_lifts_the_recipients_own_words_alone(ports: &Ports) {
    let mut number = 0;
    for reason in Reason::ALL {
        // An import beside others would be none of its own.
        for source in Source::ALL.into_iter().rev() {
            number += 1;
            assert_eq!(add(ports, Suppression { reason, source, ..rule(number) }).await, Added::New);
        }
    }
    let broader = Suppression { covers: Coverage::prefix(None, "+45").unwrap(), ..rule(30) };
    add(ports, broader).await;
    ports.suppressions.lift(phone(), rule(1).sender).await.unwrap();
    let left = ports.suppressions.covering(&phone()).await.unwrap();
    let own = |rule: &Suppression| rule.reason == Reason::OptOut && rule.source.is_the_recipients_word();
    assert_eq!(left.len(), 19, "the recipient told two of them");
    assert!(left.iter().all(|rule| !own(rule) || rule.covers.kind() == "prefix"));
}

/// START to one number says nothing about another one.
pub async fn consent_is_about_the_sender_that_it_was_told(ports: &Ports) {
    add(ports, rule(1)).await;
    add(ports, Suppression { sender: Some(SenderKey::of("other")), ..rule(2) }).await;
    add(ports, Suppression { sender: None, ..rule(3) }).await;
    ports.suppressions.lift(phone(), rule(1).sender).await.unwrap();
    assert_eq!(covering(ports, &phone()).await, [2]);
    ports.suppressions.lift(phone(), None).await.unwrap();
    assert_eq!(covering(ports, &phone()).await, [2]);
}

/// As providers and people write them.
pub async fn mail_addresses_compare_without_case(ports: &Ports) {
    let of =
        |address: &str| SuppressedAddress { channel: Channel::Email, address: address.to_owned(), ..phone() };
    let covers = Coverage::exactly(Channel::Email, "Ada@Example.com");
    add(ports, Suppression { covers, channel: Some(Channel::Email), sender: None, ..rule(1) }).await;
    assert_eq!(covering(ports, &of("ada@example.COM")).await, [1]);
    ports.suppressions.lift(of("ADA@example.com"), None).await.unwrap();
    assert_eq!(covering(ports, &of("ada@example.com")).await, []);
}

/// Two people do not undo each other's changes.
pub async fn only_the_version_that_was_seen_is_changed(ports: &Ports) {
    let (scope, id) = (TenantScope::new(tenant(1), Mode::Live), rule(1).id);
    add(ports, rule(1)).await;
    let note = |text: Option<&str>| SuppressionChange {
        note: Some(text.map(str::to_owned)),
        ..SuppressionChange::default()
    };
    let changed = ports.suppressions.update(scope, id, Some(1), note(None)).await.unwrap().unwrap();
    assert_eq!((changed.version, changed.rule), (2, Suppression { note: None, ..rule(1) }));
    let stale = ports.suppressions.update(scope, id, Some(1), note(Some("x"))).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    let ends = SuppressionChange { expires_at: Some(Some(START.plus_s(1))), ..SuppressionChange::default() };
    let changed = ports.suppressions.update(scope, id, None, ends).await.unwrap().unwrap();
    let expected = Suppression { note: None, expires_at: Some(START.plus_s(1)), ..rule(1) };
    assert_eq!((changed.version, changed.rule), (3, expected));
    let stale = ports.suppressions.delete(scope, id, Some(2)).await;
    assert!(matches!(stale, Err(StoreError::Conflict)), "{stale:?}");
    assert!(ports.suppressions.delete(scope, id, Some(3)).await.unwrap());
    assert!(!ports.suppressions.delete(scope, id, None).await.unwrap());
    assert_eq!(covering(ports, &phone()).await, []);
}

/// Each filter, and the page after a rule.
pub async fn lists_are_newest_first_and_filtered(ports: &Ports) {
    let rules = vec![
        rule(1),
        Suppression { channel: None, ..rule(2) },
        Suppression { reason: Reason::Manual, source: Source::Api, ..rule(3) },
        Suppression { sender: None, ..rule(4) },
        Suppression { covers: Coverage::exactly(Channel::Sms, "+4520999999"), ..rule(5) },
        Suppression { tenant: tenant(2), ..rule(6) },
        Suppression { mode: Mode::Test, ..rule(7) },
    ];
    ports.suppressions.add(rules).await.unwrap();
    let all = || SuppressionQuery::all(tenant(1), Mode::Live, 9);
    for (query, expected) in [
        (all(), &[5, 4, 3, 2, 1][..]),
        (SuppressionQuery { limit: 2, ..all() }, &[5, 4]),
        (SuppressionQuery { before: Some(rule(4).id), ..all() }, &[3, 2, 1]),
        (SuppressionQuery { address: Some(PHONE.to_owned()), ..all() }, &[4, 3, 2, 1]),
        (SuppressionQuery { channel: Some(Channel::Sms), ..all() }, &[5, 4, 3, 1]),
        (SuppressionQuery { reason: Some(Reason::Manual), ..all() }, &[3]),
        (SuppressionQuery { sender: Some(SenderKey::of("4550000000")), ..all() }, &[5, 3, 2, 1]),
        (SuppressionQuery { created_after: Some(START.plus_ms(4)), ..all() }, &[5, 4]),
    ] {
        let found = ports.suppressions.list(query.clone()).await.unwrap();
        let numbers: Vec<_> = found.iter().map(|stored| stored.rule.id.as_u128() & 0xffff).collect();
        assert_eq!(numbers, expected, "{query:?}");
    }
}

/// The setting of one tenant and mode.
pub async fn opt_outs_silence_every_sender_unless_one_is_wanted(ports: &Ports) {
    let scope = async |number, mode| ports.suppressions.opt_out_scope(tenant(number), mode).await.unwrap();
    assert_eq!(scope(1, Mode::Live).await, OptOutScope::All);
    for wanted in [OptOutScope::Sender, OptOutScope::All, OptOutScope::Sender] {
        ports.suppressions.set_opt_out_scope(tenant(1), Mode::Live, wanted).await.unwrap();
        assert_eq!(scope(1, Mode::Live).await, wanted);
    }
    assert_eq!((scope(2, Mode::Live).await, scope(1, Mode::Test).await), Default::default());
}
