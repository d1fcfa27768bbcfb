//! Every reachable state of a small plan, breadth first: no event in any of them breaks an invariant,
//! and from each of them the passing of time alone leads to an end.

use std::collections::{HashSet, VecDeque};

use super::fixture::{Run, START, connection, envelope, failure, reached, undelivered};
use crate::{
    UnixMillis,
    cascade::{AdapterVersion, Cascade, Event, Phase, State, begin, encode, invariants, step},
    outcome::{Acceptance, ErrorClass, Level, Outcome, Receipt, ReceiptStatus},
    plan::{OnLateReceipt, OnServerError, OnUnknownOutcome},
};

/// Everything that can happen to a cascade whose attempts are numbered up to 3.
fn events(cascade: &Cascade) -> Vec<Event> {
    let mut events = vec![Event::Due, Event::Cancel, Event::NoRoute, Event::Suppressed];
    for candidate in 0..2 {
        events.push(Event::Permit { candidate, adapter_version: AdapterVersion(1) });
    }
    for attempt in 1..=cascade.state.last_attempt() {
        let record = cascade.state.attempt(attempt).expect("in range");
        let through = cascade.envelope.plan.steps[usize::from(record.step)].candidates
            [usize::from(record.candidate)]
        .connection;
        events.push(Event::Interrupted { attempt });
        events.extend(outcomes().into_iter().map(|outcome| Event::Outcome { attempt, outcome }));
        events.extend(receipts().into_iter().map(|status| Event::Receipt {
            attempt,
            connection: through,
            receipt: Receipt::of(status),
        }));
    }
    events
}

fn outcomes() -> Vec<Outcome> {
    vec![
        Outcome::Accepted(Acceptance::default()),
        Outcome::Rejected(failure(ErrorClass::RecipientPermanent)),
        Outcome::Rejected(failure(ErrorClass::OptedOut)),
        Outcome::Throttled { retry_after_ms: Some(700), failure: failure(ErrorClass::ProviderThrottled) },
        Outcome::ServerError(failure(ErrorClass::ProviderFault)),
        Outcome::Unknown(failure(ErrorClass::Network)),
    ]
}

fn receipts() -> Vec<ReceiptStatus> {
    vec![reached(Level::Delivered), undelivered()]
}

/// Two states are the same when they differ only in absolute time and in their history's wording.
fn fingerprint(state: &State, now: UnixMillis) -> Vec<u8> {
    let ago = |at: UnixMillis| UnixMillis(now.since(at));
    let ahead = |at: UnixMillis| UnixMillis(at.since(now));
    let mut folded = state.clone();
    folded.timeline = Default::default();
    folded.updated_at = UnixMillis(0);
    folded.step_started_at = ago(folded.step_started_at);
    folded.completed_at = folded.completed_at.map(|_| UnixMillis(1));
    folded.confirmed_at = folded.confirmed_at.map(|_| UnixMillis(1));
    folded.phase = match folded.phase {
        Phase::Scheduled { until } => Phase::Scheduled { until: ahead(until) },
        Phase::Submitting { attempt, not_after } => {
            Phase::Submitting { attempt, not_after: ahead(not_after) }
        }
        Phase::AwaitingReceipt { attempt, deadline } => {
            Phase::AwaitingReceipt { attempt, deadline: ahead(deadline) }
        }
        Phase::Backoff { until, count } => Phase::Backoff { until: ahead(until), count },
        other => other,
    };
    for attempt in &mut folded.attempts {
        attempt.completed_at = attempt.completed_at.map(|_| UnixMillis(1));
        attempt.submitted_at = UnixMillis(0);
    }
    encode(&folded)
}

fn ends_by_time_alone(cascade: &Cascade, now: UnixMillis) {
    let (mut cascade, mut now) = (cascade.clone(), now);
    for _ in 0..40 {
        let Some(due) = cascade.state.due(&cascade.envelope) else { return };
        now = now.max(due);
        let transition = step(&cascade, Event::Due, now).expect("due applies when it is time");
        cascade.state = transition.next;
    }
    panic!("does not end: {:?}", cascade.state.phase);
}

fn walk(late: OnLateReceipt, unknown: OnUnknownOutcome, server: OnServerError) -> usize {
    let envelope = envelope(|envelope| {
        envelope.plan.steps.truncate(2);
        envelope.plan.steps[1].success_on = Level::Accepted;
        envelope.plan.steps[0].candidates.truncate(usize::from(2 - u8::from(late == OnLateReceipt::Record)));
        envelope.plan.attempts_per_step = if late == OnLateReceipt::Record { 2 } else { 1 };
        envelope.plan.on_late_receipt = late;
        envelope.plan.on_unknown_outcome = unknown;
        envelope.plan.on_server_error = server;
        envelope.to.push.clear();
    });
    let first = Cascade { envelope: envelope.clone(), state: begin(&envelope, START).next };
    let mut seen = HashSet::from([fingerprint(&first.state, START)]);
    let mut queue = VecDeque::from([(first, START)]);
    while let Some((cascade, now)) = queue.pop_front() {
        ends_by_time_alone(&cascade, now);
        for event in events(&cascade) {
            let later = match event {
                Event::Due => cascade.state.due(&cascade.envelope).unwrap_or(now).max(now),
                _ => now,
            };
            let Ok(transition) = step(&cascade, event.clone(), later) else { continue };
            let broken = invariants::violated(&cascade, &transition.next);
            assert_eq!(broken, None, "{event:?} in {:?}", cascade.state);
            // A terminal state's fates are tried one deep: nothing but flags and attempts can follow.
            // So is a fourth attempt: it brings nothing that the third has not brought, in many times as many states.
            let small = transition.next.last_attempt() <= 3;
            if small
                && !cascade.state.phase.is_terminal()
                && seen.insert(fingerprint(&transition.next, later))
            {
                queue.push_back((Cascade { envelope: envelope.clone(), state: transition.next }, later));
            }
        }
    }
    seen.len()
}

#[test]
fn every_reachable_state_of_a_two_step_plan_keeps_every_invariant() {
    use {OnLateReceipt as L, OnServerError as S, OnUnknownOutcome as U};
    for (late, unknown, server) in [
        (L::StopRemaining, U::Wait, S::NextProvider),
        (L::Record, U::Resend, S::Resend),
        (L::StopRemaining, U::NextProvider, S::Wait),
        (L::Record, U::NextChannel, S::NextChannel),
    ] {
        let states = walk(late, unknown, server);
        println!("{states} states with {late:?}, {unknown:?}, {server:?}");
        assert!(states > 500, "only {states} states: the walk does not reach far");
    }
}

#[test]
fn the_walk_notices_a_broken_transition() {
    let mut run = Run::standard();
    run.permit().accept();
    let mut broken = run.cascade.state.clone();
    broken.attempts.clear();
    assert_eq!(invariants::violated(&run.cascade, &broken), Some("attempts only grow"));
    assert_ne!(connection(1), connection(2));
}
