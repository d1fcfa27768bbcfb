//! What is counted of messages: by day, scope, channel, connection and country. Pure: what a decision adds follows from
//! the states before and after it, so that counts made with each commit never drift from what is stored.

use std::collections::BTreeMap;

use crate::{
    address::Channel,
    calendar::day_of,
    cascade::{Attempt, State},
    message::Envelope,
    money::{Currency, Money},
    outcome::Level,
    plan::Step,
    tenant::TenantScope,
};

/// What counts are kept under.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct UsageKey {
    /// Days since 1970-01-01, UTC: a message's of its acceptance, an attempt's of its submission.
    pub day: u32,
    /// Whose.
    pub scope: TenantScope,
    /// A message's is that of its first step.
    pub channel: Channel,
    /// Name of the connection; `None` where messages are counted.
    pub connection: Option<String>,
    /// ISO 3166-1 alpha-2 code of the recipient's number; `None`: unknown.
    pub country: Option<String>,
    /// Of the cost; `None`: nothing is known to have cost anything.
    pub currency: Option<Currency>,
}

/// Counts, or a change of them.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct UsageCounts {
    /// Messages accepted.
    pub messages: i64,
    /// Attempts made.
    pub attempts: i64,
    /// Attempts that a provider took: what it charges for.
    pub accepted: i64,
    /// SMS segments of attempts that a provider took.
    pub segments: i64,
    /// Attempts that reached the recipient.
    pub delivered: i64,
    /// What attempts cost, in millionths of the currency: as providers tell, else by price list.
    pub cost_micros: i64,
}

/// A change.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UsageEntry {
    /// Of what.
    pub key: UsageKey,
    /// By how much.
    pub counts: UsageCounts,
}

impl UsageCounts {
    /// What is charged for: segments where the channel has segments, else messages that a provider took.
    pub const fn billed(&self, channel: Channel) -> i64 {
        match channel {
            Channel::Sms => self.segments,
            Channel::Email | Channel::Push | Channel::Whatsapp => self.accepted,
        }
    }

    /// Adds `other`, `times` over.
    pub const fn add(&mut self, other: Self, times: i64) {
        self.messages += other.messages * times;
        self.attempts += other.attempts * times;
        self.accepted += other.accepted * times;
        self.segments += other.segments * times;
        self.delivered += other.delivered * times;
        self.cost_micros = self.cost_micros.saturating_add(other.cost_micros.saturating_mul(times));
    }
}

/// What a decision changes. `before` is `None` for the acceptance of the message.
pub fn changes(envelope: &Envelope, before: Option<&State>, after: &State) -> Vec<UsageEntry> {
    let mut sums: BTreeMap<UsageKey, UsageCounts> = BTreeMap::new();
    if before.is_none() {
        let accepted = UsageCounts { messages: 1, ..UsageCounts::default() };
        sums.entry(accepted_key(envelope)).or_default().add(accepted, 1);
    }
    let known = before.map_or(&[][..], |before| &before.attempts);
    for (index, attempt) in after.attempts.iter().enumerate() {
        let old = known.get(index);
        if old == Some(attempt) {
            continue;
        }
        for (attempt, times) in old.map(|old| (old, -1)).into_iter().chain([(attempt, 1)]) {
            if let Some((key, counts)) = counted(envelope, attempt) {
                sums.entry(key).or_default().add(counts, times);
            }
        }
    }
    let changed = sums.into_iter().filter(|(_, counts)| *counts != UsageCounts::default());
    changed.map(|(key, counts)| UsageEntry { key, counts }).collect()
}

fn accepted_key(envelope: &Envelope) -> UsageKey {
    UsageKey {
        day: day_of(envelope.created_at),
        scope: TenantScope::new(envelope.tenant, envelope.mode),
        channel: envelope.plan.steps.first().map_or(Channel::Sms, |step| step.channel),
        connection: None,
        country: envelope.country.clone(),
        currency: None,
    }
}

/// What one attempt counts for; `None` only for an envelope of another message.
fn counted(envelope: &Envelope, attempt: &Attempt) -> Option<(UsageKey, UsageCounts)> {
    let step = envelope.plan.steps.get(usize::from(attempt.step))?;
    let candidate = step.candidates.get(usize::from(attempt.candidate))?;
    let taken = attempt.is_taken();
    let cost = attempt.charge(envelope).map(|charge| charge.money);
    let key = UsageKey {
        day: day_of(attempt.submitted_at),
        channel: step.channel,
        connection: Some(candidate.name.clone()),
        currency: cost.map(|cost| cost.currency),
        ..accepted_key(envelope)
    };
    let counts = UsageCounts {
        messages: 0,
        attempts: 1,
        accepted: i64::from(taken),
        segments: if taken { segments(step, attempt) } else { 0 },
        delivered: i64::from(attempt.status.level() >= Some(Level::Delivered)),
        cost_micros: cost.map_or(0, |Money { micros, .. }| micros),
    };
    Some((key, counts))
}

fn segments(step: &Step, attempt: &Attempt) -> i64 {
    match step.channel {
        Channel::Sms => attempt.segments.unwrap_or(step.parts).into(),
        Channel::Email | Channel::Push | Channel::Whatsapp => 0,
    }
}
