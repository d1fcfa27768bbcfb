//! Who is asked again, when, and who is not: one recipient must not get copies for want of a permit elsewhere.

use proptest::prelude::*;

use super::fixture::{Run, START, VERSION, envelope, failure, reached, undelivered};
use crate::{
    cascade::{AttemptStatus, Effect, Event, MessageStatus, Phase, StepError, resume},
    outcome::{Acceptance, ErrorClass, Level, Outcome},
    plan::{OnServerError, OnUnknownOutcome},
};

fn server_error() -> Outcome {
    Outcome::ServerError(failure(ErrorClass::ProviderFault))
}

fn acquire(candidates: &[u8]) -> [Effect; 1] {
    [Effect::Acquire { candidates: candidates.to_vec() }]
}

/// One step, SMS through two connections; only the second one has permits.
fn first_is_held() -> Run {
    let mut run = Run::new(&envelope(|envelope| envelope.plan.steps.truncate(1)));
    run.event(permit(1));
    run
}

const fn permit(candidate: u8) -> Event {
    Event::Permit { candidate, adapter_version: VERSION }
}

#[test]
fn a_held_connection_makes_nobody_send_again_at_once() {
    let mut run = first_is_held();
    run.outcome(server_error());
    assert_eq!(run.effects, acquire(&[0]), "only who was not tried");
    assert_eq!(run.try_event(permit(1)), Err(StepError::Stale), "a permit of the same one is not used");
    assert_eq!(run.phase(), Phase::Backoff { until: START.plus_ms(500), count: 1 });
    assert!(run.state().owes_effect(&run.cascade.envelope), "the wish must survive a restart");
    assert_eq!(resume(&run.cascade, run.now).effects, acquire(&[0]));
    run.due();
    assert_eq!((run.now, run.effects.clone()), (START.plus_ms(500), acquire(&[0, 1]).to_vec()));
    assert_eq!(run.try_event(permit(1)), Ok(()), "now it is asked again");
}

#[test]
fn a_connection_that_comes_free_during_the_pause_is_used_at_once() {
    let mut run = first_is_held();
    run.outcome(server_error()).after_ms(3).event(permit(0));
    assert_eq!(run.state().attempts.len(), 2);
}

#[test]
fn a_pause_that_outlasts_the_step_still_waits_for_who_was_not_tried() {
    let mut run = first_is_held();
    run.outcome(Outcome::Throttled {
        retry_after_ms: Some(91_000),
        failure: failure(ErrorClass::ProviderThrottled),
    });
    assert_eq!(run.effects, acquire(&[0]));
    let waiting = run.cascade.waiting_for().unwrap();
    assert_eq!((waiting.what, waiting.until), ("permit", START.plus_s(90)));
    run.due();
    assert_eq!((run.now, run.phase()), (START.plus_s(90), Phase::Failed));
}

#[test]
fn connections_that_are_gone_leave_the_retry_of_the_others() {
    let mut run = first_is_held();
    run.outcome(server_error());
    assert_eq!(run.try_event(Event::NoRoute), Err(StepError::Stale));
    assert_eq!(run.try_event(Event::Suppressed), Err(StepError::Stale));
    run.due().event(permit(1));
}

#[test]
fn a_refusal_waits_for_other_providers_alone_and_until_the_step_ends() {
    let mut run = first_is_held();
    run.outcome(Outcome::Rejected(failure(ErrorClass::ProviderFault)));
    assert_eq!(run.effects, acquire(&[0]));
    assert_eq!(run.try_event(permit(1)), Err(StepError::Stale));
    let mut gone = Run { cascade: run.cascade.clone(), effects: vec![], now: run.now };
    gone.event(Event::NoRoute);
    assert_eq!(gone.phase(), Phase::Failed, "nobody is left to be waited for");
    run.due();
    assert_eq!((run.now, run.phase()), (START.plus_s(90), Phase::Failed));
}

#[test]
fn the_policy_next_provider_never_sends_through_the_same_one_again() {
    let mut run = Run::new(&envelope(|envelope| {
        envelope.plan.on_unknown_outcome = OnUnknownOutcome::NextProvider;
        envelope.plan.steps.truncate(1);
    }));
    run.event(permit(1)).outcome(Outcome::Unknown(failure(ErrorClass::Network)));
    assert_eq!(
        (run.effects.clone(), run.try_event(permit(1))),
        (acquire(&[0]).to_vec(), Err(StepError::Stale))
    );
    run.due();
    assert_eq!((run.now, run.state().status()), (START.plus_s(90), MessageStatus::SentUnconfirmed));
}

#[test]
fn resending_does_not_ask_for_another_connection_meanwhile() {
    let mut run = Run::new(&envelope(|envelope| envelope.plan.on_server_error = OnServerError::Resend));
    run.permit().outcome(server_error());
    assert_eq!((run.effects.len(), resume(&run.cascade, run.now).effects.len()), (0, 0));
    assert_eq!(run.try_event(permit(1)), Err(StepError::Stale));
    assert!(!run.state().owes_effect(&run.cascade.envelope));
}

#[test]
fn the_last_step_waits_for_the_receipt_of_what_may_have_arrived() {
    let mut run = first_is_held();
    run.outcome(server_error());
    for _ in 1..5 {
        run.due().event(permit(1)).outcome(server_error());
    }
    assert_eq!(run.state().attempts.len(), 5);
    assert!(
        matches!(run.phase(), Phase::AwaitingReceipt { attempt: 5, deadline } if deadline == START.plus_s(90))
    );
    run.after_ms(100).receipt(2, reached(Level::Delivered));
    assert_eq!(run.phase(), Phase::Delivered);
}

#[test]
fn an_earlier_step_does_not_wait_when_its_attempts_are_used_up() {
    let mut run = Run::new(&envelope(|envelope| envelope.plan.attempts_per_step = 1));
    run.permit().outcome(server_error());
    assert_eq!((run.state().step, run.now), (1, START), "the next step starts at once");
}

#[test]
fn the_last_step_ends_once_nothing_can_have_arrived() {
    let mut run = Run::new(&envelope(|envelope| {
        envelope.plan.steps.truncate(1);
        envelope.plan.attempts_per_step = 1;
    }));
    run.permit().outcome(server_error()).after_ms(100).receipt(1, undelivered());
    assert_eq!(run.phase(), Phase::Failed);
}

#[test]
fn what_a_provider_turns_out_to_have_is_not_sent_again() {
    let mut run = first_is_held();
    run.outcome(server_error()).after_ms(50).receipt(1, reached(Level::Sent));
    assert!(matches!(run.phase(), Phase::AwaitingReceipt { attempt: 1, .. }), "{:?}", run.phase());
    let mut run = first_is_held();
    run.outcome(server_error())
        .event(Event::Outcome { attempt: 1, outcome: Outcome::Accepted(Acceptance::default()) });
    assert!(matches!(run.phase(), Phase::AwaitingReceipt { attempt: 1, .. }), "{:?}", run.phase());
    // While another attempt is on its way, that one's failure is followed by waiting.
    let mut run = first_is_held();
    run.outcome(server_error()).event(permit(0)).receipt(1, reached(Level::Sent));
    run.event(Event::Outcome { attempt: 2, outcome: Outcome::NotSent(failure(ErrorClass::Network)) });
    assert!(matches!(run.phase(), Phase::AwaitingReceipt { attempt: 1, .. }), "{:?}", run.phase());
}

proptest! {
    /// Whoever has permits, and whenever: a connection that may have it gets it again after the pause of that attempt.
    #[test]
    fn copies_through_one_connection_are_a_pause_apart(
        permits in prop::collection::vec((any::<bool>(), 0u64..2_000), 1..40),
    ) {
        let mut run = Run::new(&envelope(|envelope| envelope.plan.steps.truncate(1)));
        for (first_has_one, wait_ms) in permits {
            run.after_ms(wait_ms);
            let _ = run.try_event(Event::Due);
            let wanted = run.effects.iter().find_map(|effect| match effect {
                Effect::Acquire { candidates } => Some(candidates.clone()),
                Effect::Dispatch { .. } | Effect::Reconcile { .. } | Effect::RememberOptOut { .. } => None,
            });
            let free = |candidate: &u8| *candidate == 1 || first_has_one;
            if let Some(candidate) = wanted.and_then(|wanted| wanted.into_iter().find(free)) {
                run.event(permit(candidate)).after_ms(1).outcome(server_error());
            }
        }
        let attempts = &run.state().attempts;
        for candidate in [0, 1] {
            let times: Vec<_> = attempts.iter().enumerate().filter(|(_, a)| a.candidate == candidate).collect();
            for pair in times.windows(2) {
                let pause = 500 << pair[0].0.min(16);
                prop_assert!(pair[1].1.submitted_at.since(pair[0].1.submitted_at) > pause, "{attempts:?}");
            }
        }
        prop_assert!(attempts.iter().all(|attempt| attempt.status == AttemptStatus::OutcomeUnknown));
    }
}
