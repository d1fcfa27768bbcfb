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
        counted(caller, submission).try_for_each(|key| {
            let mut window = self.0.entry(key).or_insert_with(|| window(&key.1));
            verdict(&key.1, window.look(now), now)
        })
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
        for key in counted(caller, submission) {
            let admission = self.0.entry(key).or_insert_with(|| window(&key.1)).admit(now);
            verdict(&key.1, admission, now)?;
            room.taken.push(key);
        }
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

fn verdict(rate: &MessageRate, admission: Admission, now: UnixMillis) -> Result<(), Problem> {
    let Admission::Denied { retry_at } = admission else { return Ok(()) };
    let seconds = u32::try_from(retry_at.since(now).div_ceil(1_000)).unwrap_or(u32::MAX).max(1);
    let of = |name: Option<&'static str>| name.map(|name| format!(" {name}")).unwrap_or_default();
    let kind = format!(
        "{}{}",
        of(rate.lane.map(|lane| lane.as_str())),
        of(rate.channel.map(|channel| channel.as_str()))
    );
    let detail = format!("at most {}{kind} messages in {} seconds", rate.messages, rate.period_s);
    let fault = Fault::new("", "message_rate", detail);
    let problem = Problem::new(Code::RateLimited, "The tenant sends too many messages; see `errors`.");
    Err(problem.with_faults(vec![fault]).retry_after(seconds))
}
