//! What every log of usage does.

/// Makes a test of every behaviour in this suite.
#[macro_export]
macro_rules! usage_log_contract {
    ($make:path) => {
        $crate::behaviours!($make, usage_log:
            commits_count_what_they_change,
            a_commit_that_is_refused_counts_nothing,
            counts_are_told_by_scope_and_day,
        );
    };
}

use std::sync::Arc;

use hermes_domain::{
    address::Channel,
    calendar::day_of,
    message::{Envelope, Mode},
    money::Money,
    tenant::TenantScope,
    usage::{UsageCounts, UsageKey},
};
use hermes_ports::{StoreError, cascade_store::Revision, usage_log::UsageQuery};
use hermes_testkit::{START, Story, envelope, tenant};

use crate::Ports;

fn priced() -> Arc<Envelope> {
    let built = envelope().sms().build();
    let mut envelope = Envelope::clone(&built);
    envelope.country = Some("DK".to_owned());
    let step = &mut envelope.plan.steps[0];
    step.parts = 2;
    step.candidates[0].price = Some(Money::parse("0.08", "EUR").unwrap());
    Arc::new(envelope)
}

fn day() -> u32 {
    day_of(START)
}

async fn counts(ports: &Ports, query: UsageQuery) -> Vec<(UsageKey, UsageCounts)> {
    ports.usage.counts(query, 100).await.unwrap()
}

fn everything() -> UsageQuery {
    UsageQuery { scope: None, from_day: 0, to_day: u32::MAX }
}

/// The whole life of a message, and what is told of it.
pub async fn commits_count_what_they_change(ports: &Ports) {
    let story = Story::of(&priced());
    let mut revision = ports.cascades.commit(story.create()).await.unwrap();
    let mut before = story;
    for story in [before.clone().accepted_as("SM1"), before.clone().accepted_as("SM1").delivered()] {
        let commit = story.replace(revision);
        let commit = commit.counting_from(story.envelope(), before.state(), story.state());
        revision = ports.cascades.commit(commit).await.unwrap();
        before = story;
    }
    let found = counts(ports, everything()).await;
    let total = found.iter().fold(UsageCounts::default(), |mut total, (_, counts)| {
        total.add(*counts, 1);
        total
    });
    let whole =
        UsageCounts { messages: 1, attempts: 1, accepted: 1, segments: 2, delivered: 1, cost_micros: 80_000 };
    assert_eq!(total, whole);
    for (key, counts) in &found {
        assert_eq!((key.day, key.channel, key.country.as_deref()), (day(), Channel::Sms, Some("DK")));
        assert_eq!(key.connection.is_none(), counts.messages == 1, "messages stand apart from attempts");
        let priced = key.currency.map(|currency| currency.as_str().to_owned());
        assert_eq!(priced.as_deref(), (counts.cost_micros > 0).then_some("EUR"));
    }
}

/// A conflict leaves the counts as they are.
pub async fn a_commit_that_is_refused_counts_nothing(ports: &Ports) {
    let story = Story::of(&priced());
    ports.cascades.commit(story.create()).await.unwrap();
    assert!(matches!(ports.cascades.commit(story.create()).await, Err(StoreError::Conflict)));
    let later = story.clone().accepted_as("SM1");
    let commit = later.replace(Revision(9)).counting_from(later.envelope(), story.state(), later.state());
    assert!(matches!(ports.cascades.commit(commit).await, Err(StoreError::Conflict)));
    let found = counts(ports, everything()).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].1, UsageCounts { messages: 1, ..UsageCounts::default() });
}

/// Tenants and modes are apart, days are bounds, both included.
pub async fn counts_are_told_by_scope_and_day(ports: &Ports) {
    for (owner, mode) in [(1, Mode::Live), (1, Mode::Test), (2, Mode::Live)] {
        let mut envelope = Envelope::clone(&priced());
        (envelope.tenant, envelope.mode) = (tenant(owner), mode);
        ports.cascades.commit(Story::of(&Arc::new(envelope)).create()).await.unwrap();
    }
    let scope = TenantScope::new(tenant(1), Mode::Test);
    let of = |scope, from_day, to_day| UsageQuery { scope, from_day, to_day };
    let found = counts(ports, of(Some(scope), day(), day())).await;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].0.scope, scope);
    assert_eq!(counts(ports, everything()).await.len(), 3);
    assert_eq!(ports.usage.counts(everything(), 2).await.unwrap().len(), 2, "a limit");
    for (from_day, to_day) in [(0, day() - 1), (day() + 1, u32::MAX)] {
        assert!(counts(ports, of(None, from_day, to_day)).await.is_empty());
    }
}
