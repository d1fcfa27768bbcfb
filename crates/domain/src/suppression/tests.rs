use proptest::prelude::*;

use super::*;

const NOW: UnixMillis = UnixMillis(1_767_323_045_000);

fn rule(number: u128, covers: Coverage) -> Suppression {
    Suppression {
        id: SuppressionId::new(NOW, number),
        tenant: TenantId::new(NOW, 1),
        mode: Mode::Live,
        covers,
        channel: None,
        sender: None,
        reason: SuppressionReason::Manual,
        source: SuppressionSource::Api,
        note: None,
        created_at: NOW,
        expires_at: None,
    }
}

const fn sms(address: &str) -> Subject<'_> {
    Subject { channel: Channel::Sms, address, sender: None }
}

fn address(text: &str) -> Coverage {
    Coverage::address(None, text).unwrap()
}

fn prefix(text: &str) -> Coverage {
    Coverage::prefix(None, text).unwrap()
}

#[test]
fn the_most_specific_rule_applies_whatever_their_order() {
    let (ours, other) = (SenderKey::of("+45 20"), SenderKey::of("other"));
    let rules = [
        rule(1, prefix("+45")),
        rule(2, address("+4520123456")),
        rule(3, prefix("+4520")),
        Suppression { sender: Some(ours.clone()), ..rule(4, address("+4520123456")) },
        Suppression { channel: Some(Channel::Sms), ..rule(5, address("+4520123456")) },
        rule(6, address("+4520123456")),
    ];
    let from = |sender| Subject { sender, ..sms("+4520123456") };
    let number = |rules: &[Suppression], subject| {
        applying(rules.iter().rev(), subject, NOW).map(|rule| rule.id.as_u128() & 0xff)
    };
    assert_eq!(number(&rules, from(Some(&ours))), Some(4));
    assert_eq!(number(&rules, from(Some(&other))), Some(5));
    assert_eq!(number(&rules, Subject { channel: Channel::Whatsapp, ..from(Some(&other)) }), Some(2));
    assert_eq!(number(&rules, sms("+4520999999")), Some(3));
    assert_eq!(number(&rules, sms("+4530999999")), Some(1));
    assert_eq!(number(&rules, sms("+4630999999")), None);
}

#[test]
fn a_sender_that_nobody_knows_counts_as_each() {
    let rules =
        [Suppression { sender: Some(SenderKey::of("+4550000000")), ..rule(1, address("+4520123456")) }];
    assert!(applying(&rules, sms("+4520123456"), NOW).is_some());
    let named = SenderKey::of("ACME");
    assert!(applying(&rules, Subject { sender: Some(&named), ..sms("+4520123456") }, NOW).is_none());
}

#[test]
fn a_rule_that_has_ended_forbids_nothing() {
    let rules = [Suppression { expires_at: Some(NOW.plus_ms(1)), ..rule(1, address("+4520123456")) }];
    assert!(applying(&rules, sms("+4520123456"), NOW).is_some());
    assert!(applying(&rules, sms("+4520123456"), NOW.plus_ms(1)).is_none());
}

#[test]
fn domains_cover_what_lies_below_them_and_nothing_beside() {
    let rules = [rule(1, Coverage::domain(None, "@Example.com").unwrap())];
    let mail = |address| Subject { channel: Channel::Email, address, sender: None };
    for covered in ["ada@example.com", "ada@EU.Example.com"] {
        assert!(applying(&rules, mail(covered), NOW).is_some(), "{covered}");
    }
    for other in ["ada@notexample.com", "ada@example.org", "example.com@example.org"] {
        assert!(applying(&rules, mail(other), NOW).is_none(), "{other}");
    }
}

#[test]
fn what_no_address_could_be_is_refused() {
    use InvalidCoverage as Bad;
    assert_eq!(Coverage::address(None, "4520123456"), Err(Bad::Address));
    assert_eq!(Coverage::address(None, "ada@"), Err(Bad::Address));
    assert_eq!(Coverage::address(Some(Channel::Sms), "ada@example.com"), Err(Bad::Channel));
    assert_eq!(Coverage::address(Some(Channel::Email), "+4520123456"), Err(Bad::Channel));
    assert_eq!(Coverage::prefix(None, "+"), Err(Bad::Prefix));
    assert_eq!(Coverage::prefix(None, "45"), Err(Bad::Prefix));
    assert_eq!(Coverage::prefix(Some(Channel::Email), "+45"), Err(Bad::Channel));
    assert_eq!(Coverage::domain(None, "localhost"), Err(Bad::Domain));
    assert_eq!(Coverage::domain(Some(Channel::Sms), "example.com"), Err(Bad::Channel));
    let token = Coverage::address(Some(Channel::Push), "sim-AbC").unwrap();
    assert!(token.covers(Channel::Push, "sim-AbC") && !token.covers(Channel::Push, "sim-abc"));
}

#[test]
fn senders_compare_as_people_write_them() {
    assert_eq!(SenderKey::of("+4550000000"), SenderKey::of("4550000000"));
    assert_eq!(SenderKey::of("ACME"), SenderKey::of("Acme "));
    assert_eq!(SenderKey::of("Acme <No-Reply@acme.example>"), SenderKey::of("no-reply@acme.example"));
    assert_ne!(SenderKey::of("ACME"), SenderKey::of("ACME2"));
}

#[test]
fn keywords_are_those_of_the_numbers_country_and_english_everywhere() {
    use Meaning as M;
    for (number, text, expected) in [
        ("+4520123456", "STOP", M::OptOut),
        ("+81312345678", " stop! ", M::OptOut),
        ("+4520123456", "Afmeld", M::OptOut),
        ("+46701234567", "AFMELD", M::Other),
        ("+46701234567", "stopp", M::OptOut),
        ("+4791234567", "Avslutt.", M::OptOut),
        ("+358401234567", "lopeta", M::OptOut),
        ("+4915112345678", "abmelden", M::OptOut),
        ("+33612345678", "arrêt", M::OptOut),
        ("+33612345678", "Stop  SMS", M::OptOut),
        ("+34612345678", "baja", M::OptOut),
        ("+393123456789", "annulla", M::OptOut),
        ("+31612345678", "afmelden", M::OptOut),
        ("+48512345678", "rezygnuję", M::OptOut),
        ("+351912345678", "Sair", M::OptOut),
        ("+4520123456", "tilmeld", M::OptIn),
        ("+4520123456", "Start", M::OptIn),
        ("+4520123456", "Hjælp", M::Help),
        ("+4520123456", "stop it please", M::Other),
        ("+4520123456", "", M::Other),
        ("+4520123456", "...", M::Other),
    ] {
        assert_eq!(meaning(number, text), expected, "{text} from {}", &number[..3]);
    }
}

fn any_channel() -> impl Strategy<Value = Option<Channel>> {
    prop::option::of(prop::sample::select(Channel::ALL.to_vec()))
}

fn any_coverage() -> impl Strategy<Value = Coverage> {
    prop_oneof![
        "\\+45[0-9]{1,3}".prop_map(Coverage::Prefix),
        "\\+45[0-9]{3}".prop_map(Coverage::Address),
        "[ab]\\.[ab]{1,2}".prop_map(Coverage::Domain),
        "x@[ab]\\.[ab]{1,2}".prop_map(Coverage::Address),
    ]
}

fn any_rule() -> impl Strategy<Value = Suppression> {
    let sender = prop::option::of("[ab]".prop_map(|name| SenderKey::of(&name)));
    (any::<u8>(), any_coverage(), any_channel(), sender, prop::option::of(0_u64..20)).prop_map(
        |(number, covers, channel, sender, expires)| Suppression {
            channel,
            sender,
            expires_at: expires.map(UnixMillis),
            ..rule(number.into(), covers)
        },
    )
}

proptest! {
    #[test]
    fn the_choice_is_a_rule_that_applies_and_none_that_applies_is_more_specific(
        rules in prop::collection::vec(any_rule(), 0..12),
        channel in prop::sample::select(Channel::ALL.to_vec()),
        address in prop_oneof!["\\+45[0-9]{3}", "x@([ab]\\.)?[ab]\\.[ab]{1,2}"],
        sender in prop::option::of("[ab]"),
        now in 0_u64..20,
        turn in 0_usize..12,
    ) {
        let (sender, now) = (sender.map(|name| SenderKey::of(&name)), UnixMillis(now));
        let subject = Subject { channel, address: &address, sender: sender.as_ref() };
        let found = applying(&rules, subject, now);
        let applicable: Vec<_> = rules.iter().filter(|rule| rule.applies(subject, now)).collect();
        prop_assert_eq!(found.is_some(), !applicable.is_empty());
        if let Some(found) = found {
            prop_assert!(!found.is_expired(now));
            prop_assert!(applicable.iter().all(|rule| rule.covers.specificity() <= found.covers.specificity()));
        }
        let mut turned = rules.clone();
        turned.rotate_left(if rules.is_empty() { 0 } else { turn % rules.len() });
        let again = applying(&turned, subject, now).map(|rule| rule.rank());
        prop_assert_eq!(again, found.map(|rule| rule.rank()));
    }

    /// Stores look rules up by these values alone: a rule that they miss would forbid nothing.
    #[test]
    fn every_rule_that_covers_an_address_is_found_by_the_values_that_could(
        rule in any_rule(),
        channel in prop::sample::select(Channel::ALL.to_vec()),
        address in prop_oneof!["\\+45[0-9]{3}", "x@([ab]\\.)?[ab]\\.[ab]{1,2}"],
    ) {
        if rule.covers.covers(channel, &address) {
            let values = Coverage::values_covering(channel, &address);
            prop_assert!(values.iter().any(|value| value == rule.covers.value()));
        }
    }
}
