//! What must hold of every transition, by name. Tests, simulations and debug assertions use these.

use super::{Attempt, AttemptStatus, Cascade, Phase, State};
use crate::{message::Envelope, outcome::Level};

/// A predicate over a state and its successor.
pub struct Invariant {
    /// What it says.
    pub name: &'static str,
    holds: fn(&Envelope, &State, &State) -> bool,
}

impl std::fmt::Debug for Invariant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// Every invariant.
pub const ALL: [Invariant; 11] = [
    Invariant { name: "attempts only grow", holds: attempts_only_grow },
    Invariant { name: "at most one attempt is in flight", holds: at_most_one_in_flight },
    Invariant { name: "terminal phases absorb", holds: terminal_phases_absorb },
    Invariant { name: "a live phase owes a deadline within the expiry", holds: live_phase_owes_a_deadline },
    Invariant { name: "steps run in plan order", holds: steps_run_in_plan_order },
    Invariant { name: "nothing is sent again while a provider has it", holds: nothing_is_sent_twice },
    Invariant { name: "a provider that may have it is asked again after a pause", holds: resends_pause },
    Invariant { name: "status is monotonic", holds: status_is_monotonic },
    Invariant { name: "a confirmed level never goes back", holds: levels_never_go_back },
    Invariant { name: "flags stay set", holds: flags_stay_set },
    Invariant { name: "the timeline only grows and is bounded", holds: timeline_only_grows },
];

/// The name of the first invariant that `next` breaks as a successor of `cascade`.
pub fn violated(cascade: &Cascade, next: &State) -> Option<&'static str> {
    let broken = ALL.iter().find(|invariant| !(invariant.holds)(&cascade.envelope, &cascade.state, next));
    broken.map(|invariant| invariant.name)
}

fn attempts_only_grow(_: &Envelope, before: &State, after: &State) -> bool {
    let same = |(old, new): (&Attempt, &Attempt)| {
        (old.step, old.candidate, old.submitted_at, old.adapter_version)
            == (new.step, new.candidate, new.submitted_at, new.adapter_version)
    };
    after.attempts.len() >= before.attempts.len() && before.attempts.iter().zip(&after.attempts).all(same)
}

fn at_most_one_in_flight(_: &Envelope, _: &State, after: &State) -> bool {
    let submitting =
        after.attempts.iter().filter(|attempt| attempt.status == AttemptStatus::Submitting).count();
    let names_the_last = match after.phase {
        Phase::Submitting { attempt, .. } => attempt == after.last_attempt(),
        Phase::Scheduled { .. } | Phase::Pending | Phase::AwaitingReceipt { .. } | Phase::Backoff { .. } => {
            submitting == 0
        }
        Phase::Delivered | Phase::SentUnconfirmed | Phase::Failed | Phase::Expired | Phase::Cancelled => {
            submitting == 0
        }
    };
    submitting <= 1 && names_the_last
}

fn terminal_phases_absorb(_: &Envelope, before: &State, after: &State) -> bool {
    !before.phase.is_terminal()
        || (before.phase == after.phase
            && before.completed_at == after.completed_at
            && before.attempts.len() == after.attempts.len())
}

fn live_phase_owes_a_deadline(envelope: &Envelope, _: &State, after: &State) -> bool {
    let latest = envelope.expires_at.plus_ms(State::CALL_GRACE_MS);
    after.phase.is_terminal() == after.due(envelope).is_none()
        && after.due(envelope).is_none_or(|due| due <= latest)
}

fn steps_run_in_plan_order(envelope: &Envelope, before: &State, after: &State) -> bool {
    let in_plan = usize::from(after.step) < envelope.plan.steps.len();
    let attempts_sorted = after.attempts.is_sorted_by_key(|attempt| attempt.step);
    in_plan
        && attempts_sorted
        && after.step >= before.step
        && after.step
            <= before.step.saturating_add(u8::try_from(envelope.plan.steps.len()).unwrap_or(u8::MAX))
}

/// The newest attempt, with those before it in its step, if this transition began it.
fn begun<'a>(before: &State, after: &'a State) -> Option<(&'a Attempt, impl Iterator<Item = &'a Attempt>)> {
    let (newest, earlier) =
        after.attempts.split_last().filter(|_| after.attempts.len() > before.attempts.len())?;
    Some((newest, earlier.iter().filter(|attempt| attempt.step == newest.step)))
}

fn nothing_is_sent_twice(_: &Envelope, before: &State, after: &State) -> bool {
    begun(before, after)
        .is_none_or(|(_, mut earlier)| earlier.all(|attempt| attempt.status.level().is_none()))
}

/// A dead push token is an answer about another address than the next attempt's.
fn resends_pause(_: &Envelope, before: &State, after: &State) -> bool {
    let Some((newest, earlier)) = begun(before, after) else { return true };
    let mut earlier = earlier.skip_while(|_| after.refused_tokens(newest.step) > 0);
    earlier.all(|attempt| {
        attempt.candidate != newest.candidate
            || attempt.status != AttemptStatus::OutcomeUnknown
            || newest.submitted_at.since(attempt.submitted_at) >= super::moves::BACKOFF_BASE_MS
    })
}

fn status_is_monotonic(_: &Envelope, before: &State, after: &State) -> bool {
    before.status() == after.status() || (!before.status().is_terminal() && after.status() > before.status())
}

fn levels_never_go_back(_: &Envelope, before: &State, after: &State) -> bool {
    before.attempts.iter().zip(&after.attempts).all(|(old, new)| match old.status.level() {
        Some(level) if level >= Level::Delivered => new.status.level() >= Some(level),
        Some(level) => new.status.is_negative() || new.status.level() >= Some(level),
        None => true,
    })
}

fn flags_stay_set(_: &Envelope, before: &State, after: &State) -> bool {
    let (old, new) = (before.flags, after.flags);
    (!old.delivered_late || new.delivered_late)
        && (!old.delivered_multiple || new.delivered_multiple)
        && (!old.contradicted || new.contradicted)
        && (!old.outcome_unknown || new.outcome_unknown)
}

fn timeline_only_grows(_: &Envelope, before: &State, after: &State) -> bool {
    after.timeline.len() >= before.timeline.len() && after.timeline.len() <= super::TIMELINE_MAX
}
