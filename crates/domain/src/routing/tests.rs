use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{ConnectionId, message::Lane};

const NOW: UnixMillis = UnixMillis(1_767_323_045_678);

fn us() -> TenantId {
    TenantId::new(UnixMillis(0), 1)
}

fn connection(number: u128, tenant: Option<TenantId>, name: &str) -> Connection {
    Connection {
        id: ConnectionId::new(UnixMillis(0), number),
        tenant,
        mode: Mode::Live,
        provider: format!("provider-{name}"),
        name: name.into(),
        channel: Channel::Sms,
        config: BTreeMap::new(),
        rate_per_s: None,
        held: false,
        created_at: UnixMillis(0),
    }
}

fn choice(connection: &Connection) -> Choice<'_> {
    Choice { connection, health: Health::default(), price: None, reaches: true }
}

fn question<'a>(named: &'a [String], rules: &'a [RouteRule]) -> Question<'a> {
    Question {
        tenant: us(),
        mode: Mode::Live,
        channel: Channel::Sms,
        named,
        rules,
        subject: Subject {
            channel: Channel::Sms,
            country: Some("DK"),
            number: Some("+4520123456"),
            sender: Some("ACME"),
            lane: Lane::Transactional,
            tags: &[],
        },
        budget: None,
        deadline: NOW.plus_s(90),
        now: NOW,
        seed: 7,
        exploration_percent: 0,
    }
}

fn names(route: &Route) -> Vec<&str> {
    route.candidates.iter().map(|candidate| candidate.name.as_str()).collect()
}

fn why(route: &Route, name: &str) -> (Verdict, Reason) {
    let found = route.considered.iter().find(|considered| considered.name == name).unwrap();
    (found.verdict, found.reason)
}

fn eur(micros: i64) -> Option<Money> {
    Some(Money { micros, currency: "EUR".parse().unwrap() })
}

#[test]
fn own_connections_come_first_then_the_cheap_ones_and_modes_never_mix() {
    let them = TenantId::new(UnixMillis(0), 2);
    let mut sim = connection(5, Some(us()), "sim");
    sim.mode = Mode::Test;
    let all = [
        connection(1, None, "shared"),
        connection(2, None, "cheap"),
        connection(3, Some(us()), "own"),
        connection(4, Some(them), "foreign"),
        sim,
    ];
    let mut choices: Vec<_> = all.iter().map(choice).collect();
    (choices[0].price, choices[1].price) = (eur(70_000), eur(40_000));
    let found = route(&question(&[], &[]), &choices).unwrap();
    assert_eq!(names(&found), ["own", "cheap", "shared"]);
    assert_eq!(why(&found, "own"), (Verdict::Taken, Reason::Ranked));
    for name in ["foreign", "sim"] {
        let named = [name.to_owned()];
        assert!(
            matches!(route(&question(&named, &[]), &choices), Err(NoRoute::UnknownName { .. })),
            "{name}"
        );
    }
    let email = Question { channel: Channel::Email, ..question(&[], &[]) };
    assert_eq!(route(&email, &choices), Err(NoRoute::NoConnection { channel: "email" }));
}

#[test]
fn what_the_step_names_keeps_its_order_and_the_rest_is_out() {
    let all = [connection(1, None, "a"), connection(2, None, "b"), connection(3, None, "c")];
    let mut choices: Vec<_> = all.iter().map(choice).collect();
    choices[1].health = Health { calls: 100, processed: 10, ..Health::default() };
    let named = ["b".to_owned(), "provider-a".to_owned(), "b".to_owned()];
    let found = route(&question(&named, &[]), &choices).unwrap();
    assert_eq!(names(&found), ["b", "a"], "failing as it is, it was asked for first");
    assert_eq!(
        (why(&found, "b").1, why(&found, "c")),
        (Reason::Named, (Verdict::Rejected, Reason::NotNamed))
    );
}

#[test]
fn a_connections_own_name_wins_over_the_provider_of_an_earlier_one() {
    let all = [connection(1, None, "a"), connection(2, None, "provider-a")];
    let choices: Vec<_> = all.iter().map(choice).collect();
    let named = ["provider-a".to_owned()];
    let found = route(&question(&named, &[]), &choices).unwrap();
    assert_eq!(names(&found), ["provider-a"]);
}

#[test]
fn a_connection_that_cannot_be_used_now_stands_behind_whatever_was_asked_for() {
    let all = [
        connection(1, None, "held"),
        connection(2, None, "open"),
        connection(3, None, "slow"),
        connection(4, None, "fine"),
    ];
    let mut choices: Vec<_> = all.iter().map(choice).collect();
    choices[0].health.held = true;
    choices[1].health.is_open = true;
    choices[2].health.throttled_until = Some(NOW.plus_s(5));
    let named = ["held".to_owned(), "open".to_owned(), "slow".to_owned(), "fine".to_owned()];
    let found = route(&question(&named, &[]), &choices).unwrap();
    assert_eq!(names(&found), ["fine", "held", "open", "slow"]);
    for (name, reason) in [("held", Reason::Held), ("open", Reason::BreakerOpen), ("slow", Reason::Throttled)]
    {
        assert_eq!(why(&found, name), (Verdict::Standby, reason));
    }
    choices[2].health.throttled_until = Some(NOW.plus_s(90));
    let found = route(&question(&[], &[]), &choices).unwrap();
    assert_eq!(why(&found, "slow"), (Verdict::Rejected, Reason::ThrottledTooLong), "until after the step");
}

#[test]
fn failing_silent_and_slow_connections_fall_behind_once_there_are_enough_calls() {
    let all = [
        connection(1, None, "failing"),
        connection(2, None, "silent"),
        connection(3, None, "slow"),
        connection(4, None, "new"),
    ];
    let mut choices: Vec<_> = all.iter().map(choice).collect();
    choices[0].health = Health { calls: 19, processed: 0, ..Health::default() };
    choices[1].health = Health { receipts_due: 50, receipts_came: 10, ..Health::default() };
    choices[2].health =
        Health { calls: 20, processed: 20, latency_p99_ms: Some(46_000), ..Health::default() };
    let found = route(&question(&[], &[]), &choices).unwrap();
    assert_eq!(names(&found), ["failing", "new", "slow", "silent"], "19 calls say nothing");
    choices[0].health.calls = 20;
    let found = route(&question(&[], &[]), &choices).unwrap();
    assert_eq!(names(&found), ["new", "slow", "silent", "failing"]);
    let reasons = ["failing", "silent", "slow", "new"].map(|name| why(&found, name).1);
    assert_eq!(reasons, [Reason::Failing, Reason::Silent, Reason::Slow, Reason::Ranked]);
}

#[test]
fn the_first_rule_that_fits_decides() {
    let all = [connection(1, None, "a"), connection(2, None, "b"), connection(3, None, "c")];
    let choices: Vec<_> = all.iter().map(choice).collect();
    let rule = |when: Match, prefer: &str, exclude: &str| RouteRule {
        when,
        prefer: vec![prefer.to_owned()],
        weights: BTreeMap::new(),
        exclude: [exclude.to_owned()].into(),
    };
    let set = |text: &str| [text.to_owned()].into();
    let rules = [
        rule(Match { countries: set("SE"), ..Match::default() }, "b", "a"),
        rule(Match { prefixes: set("+4521"), ..Match::default() }, "b", "a"),
        rule(Match { tags: set("x"), ..Match::default() }, "b", "a"),
        rule(Match { lanes: [Lane::Otp].into(), ..Match::default() }, "b", "a"),
        rule(Match { channels: [Channel::Email].into(), ..Match::default() }, "b", "a"),
        rule(Match { senders: set("OTHER"), ..Match::default() }, "b", "a"),
        rule(
            Match { countries: set("DK"), prefixes: set("+4520"), senders: set("ACME"), ..Match::default() },
            "provider-c",
            "b",
        ),
        rule(Match::default(), "b", "a"),
    ];
    let found = route(&question(&[], &rules), &choices).unwrap();
    assert_eq!(names(&found), ["c", "a"]);
    assert_eq!((why(&found, "c").1, why(&found, "b").1), (Reason::Rule, Reason::ExcludedByRule));
}

#[test]
fn weights_and_exploration_share_the_first_place() {
    let all = [connection(1, None, "a"), connection(2, None, "b"), connection(3, None, "c")];
    let choices: Vec<_> = all.iter().map(choice).collect();
    let weights = [("a".to_owned(), 1), ("b".to_owned(), 3)].into();
    let rules = [RouteRule { weights, ..RouteRule::default() }];
    let firsts = |question: &dyn Fn(u64) -> Question<'static>, name: &str| {
        (0..2_000).filter(|seed| names(&route(&question(*seed), &choices).unwrap())[0] == name).count()
    };
    let rules: &'static [RouteRule] = Box::leak(Box::new(rules));
    let weighted = |seed| Question { seed, ..question(&[], rules) };
    assert!((1_400..1_600).contains(&firsts(&weighted, "b")) && firsts(&weighted, "c") == 0);
    let exploring = |seed| Question { seed, exploration_percent: 10, ..question(&[], &[]) };
    assert!((1_720..1_880).contains(&firsts(&exploring, "a")), "{}", firsts(&exploring, "a"));
    assert!(firsts(&exploring, "b") > 50 && firsts(&exploring, "c") > 50);
}

fn any_health() -> impl Strategy<Value = Health> {
    let figures = (0u64..200, 0u64..200, proptest::option::of(0u64..120_000), 0u64..200, 0u64..200);
    (any::<bool>(), any::<bool>(), proptest::option::of(0u32..200), figures).prop_map(
        |(held, is_open, throttled_s, (calls, processed, latency_p99_ms, receipts_due, receipts_came))| {
            Health {
                held,
                is_open,
                throttled_until: throttled_s.map(|seconds| NOW.plus_s(seconds)),
                calls,
                processed: processed.min(calls),
                latency_p99_ms,
                receipts_due,
                receipts_came: receipts_came.min(receipts_due),
            }
        },
    )
}

proptest! {
    #[test]
    fn no_route_begins_with_what_cannot_be_used_or_costs_too_much_and_the_order_given_does_not_matter(
        facts in proptest::collection::vec((any_health(), proptest::option::of(0i64..100_000), any::<bool>(), any::<bool>()), 1..8),
        budget in proptest::option::of(0i64..100_000), seed in any::<u64>(), exploration_percent in 0u8..=100,
        shuffled in any::<u64>(),
    ) {
        let all: Vec<_> = facts.iter().enumerate().map(|(number, (.., own))| {
            connection(number as u128 + 1, own.then(us), &format!("c{number}"))
        }).collect();
        let mut choices: Vec<_> = all.iter().zip(&facts).map(|(connection, (health, price, reaches, _))| {
            Choice { connection, health: *health, price: price.and_then(eur), reaches: *reaches }
        }).collect();
        let asked = Question { budget: budget.and_then(eur), seed, exploration_percent, ..question(&[], &[]) };
        let found = route(&asked, &choices);
        let count = choices.len();
        for turn in 0..count {
            choices.swap(turn, (mix(shuffled ^ turn as u64) % count as u64) as usize);
        }
        prop_assert_eq!(&route(&asked, &choices), &found);
        let Ok(found) = found else { return Ok(()) };
        prop_assert_eq!(found.considered.len(), all.len());
        for considered in &found.considered {
            let at = all.iter().position(|connection| connection.name == considered.name).unwrap();
            let (health, price, reaches, _) = facts[at];
            let dear = budget.is_some_and(|most| price.is_some_and(|price| price > most));
            let shut = health.held || health.is_open || health.throttled_until.is_some_and(|until| until > NOW);
            match considered.verdict {
                Verdict::Taken => prop_assert!(!shut && !dear && reaches),
                Verdict::Standby => prop_assert!(shut && !dear && reaches),
                Verdict::Rejected => prop_assert!(dear || !reaches || shut),
            }
        }
        let order: Vec<_> = found.considered.iter().map(|considered| considered.verdict).collect();
        prop_assert!(order.is_sorted_by_key(|verdict| *verdict as u8));
        prop_assert_eq!(found.candidates.len(), order.iter().filter(|verdict| **verdict != Verdict::Rejected).count());
    }
}
