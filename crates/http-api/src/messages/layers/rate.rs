//! The rate layer: room in the tenant's windows for one more message, by channel and lane.
//!
//! Requests have a limit of their own ([`crate::rate`]), which counts refused ones too. Here only accepted messages count.
//! Windows are kept per process.

use dashmap::DashMap;
use hermes_domain::{
    UnixMillis, policy::MessageRate, rate_window::Admission, sliding_window::SlidingWindow,
    tenant::TenantScope,
};

use super::schema::Submission;
use crate::{
    gate::Caller,
    problem::{Code, Fault, Problem},
    rate::{Spent, wait_s},
};

/// Windows remembered; beyond them those that are empty are forgotten.
const WINDOWS_MAX: usize = 100_000;

type Key = (TenantScope, MessageRate);

/// Windows of tenants' rates.
#[derive(Debug, Default)]
pub(crate) struct MessageRates(DashMap<Key, SlidingWindow>);

/// Room taken for a message that is being accepted. Dropped before [`Self::keep`], it is free again.
#[derive(Debug)]
pub(crate) struct Room<'a> {
    rates: &'a MessageRates,
    taken: Vec<Key>,
}

impl MessageRates {
    /// Whether there is room; takes none.
    pub(crate) fn check(
        &self,
        caller: &Caller,
        submission: &Submission,
        now: UnixMillis,
    ) -> Result<(), Problem> {
        let look = |key: Key| (key.1, self.0.entry(key).or_insert_with(|| window(&key.1)).look(now));
        verdict(counted(caller, submission).map(look), now)
    }

    /// Takes room in every window that counts the message, or in none.
    pub(crate) fn take(
        &self,
        caller: &Caller,
        submission: &Submission,
        now: UnixMillis,
    ) -> Result<Room<'_>, Problem> {
        if self.0.len() >= WINDOWS_MAX {
            self.0.retain(|(_, rate), window| window.remaining(now) < rate.messages.get());
        }
        let mut room = Room { rates: self, taken: Vec::new() };
        let admit = |key: Key| {
            let admission = self.0.entry(key).or_insert_with(|| window(&key.1)).admit(now);
            if admission == Admission::Granted {
                room.taken.push(key);
            }
            (key.1, admission)
        };
        verdict(counted(caller, submission).map(admit), now)?;
        Ok(room)
    }
}

impl Room<'_> {
    /// The message is durable: it counts.
    pub(crate) fn keep(mut self) {
        self.taken.clear();
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        for key in &self.taken {
            if let Some(mut window) = self.rates.0.get_mut(key) {
                window.give_back();
            }
        }
    }
}

/// Windows that count a message: by the first channel that it can use.
fn counted(caller: &Caller, submission: &Submission) -> impl Iterator<Item = Key> {
    let rates = &caller.tenant.policy.rates;
    let channel = if rates.is_empty() { None } else { submission.channels().first().copied() };
    let scope = caller.scope();
    let lane = submission.lane;
    rates
        .iter()
        .filter(move |rate| channel.is_some_and(|channel| rate.counts(channel, lane)))
        .map(move |rate| (scope, *rate))
}

fn window(rate: &MessageRate) -> SlidingWindow {
    SlidingWindow::new(rate.messages, rate.period_s)
}

/// Refuses for the window that refuses longest: before it has room, no other helps.
fn verdict(asked: impl Iterator<Item = (MessageRate, Admission)>, now: UnixMillis) -> Result<(), Problem> {
    let denied = asked.filter_map(|(rate, admission)| match admission {
        Admission::Granted => None,
        Admission::Denied { retry_at } => Some((rate, retry_at)),
    });
    denied
        .max_by_key(|(_, retry_at)| *retry_at)
        .map_or(Ok(()), |(rate, retry_at)| Err(refusal(&rate, wait_s(retry_at, now))))
}

fn refusal(rate: &MessageRate, retry_after_s: u32) -> Problem {
    let (lane, channel) = (rate.lane.map(|lane| lane.as_str()), rate.channel.map(|channel| channel.as_str()));
    let kind = |before: char| -> String {
        [lane, channel].into_iter().flatten().map(|part| format!("{before}{part}")).collect()
    };
    let detail = format!("at most {}{} messages in {} seconds", rate.messages, kind(' '), rate.period_s);
    let spent = Spent {
        name: format!("messages{}", kind('.')),
        quota: rate.messages.get().into(),
        window_s: Some(rate.period_s.get()),
    };
    Problem::new(Code::RateLimited, "The tenant sends too many messages; see `errors`.")
        .with_faults(vec![Fault::new("", "message_rate", detail)])
        .retry_after(retry_after_s)
        .for_lack_of(spent)
}
