//! What each outcome and each policy leads to.

use super::fixture::{Run, START, envelope, failure};
use crate::{
    cascade::{
        AdapterVersion, AttemptStatus, Effect, Event, MessageStatus, Phase, StatusReason, StepError, resume,
    },
    outcome::{ErrorClass, Failure, Level, Outcome, ReceiptStatus},
    plan::{OnServerError, OnUnknownOutcome},
};

fn unknown() -> Outcome {
    Outcome::Unknown(failure(ErrorClass::Network))
}

fn server_error() -> Outcome {
    Outcome::ServerError(failure(ErrorClass::ProviderFault))
}

#[test]
fn delivered_by_receipt_has_a_complete_timeline() {
    let mut run = Run::standard();
    run.permit().after_ms(5).accept().after_ms(50).receipt(1, super::fixture::reached(Level::Delivered));
    assert_eq!(run.phase(), Phase::Delivered);
    let expected = [
        "message.accepted",
        "step.started",
        "attempt.submitted",
        "attempt.status",
        "attempt.status",
        "message.delivered",
    ];
    assert_eq!(run.kinds(), expected);
    assert_eq!((run.state().completed_at, run.state().confirmed_at), (Some(run.now), Some(run.now)));
}

#[test]
fn silence_falls_through_every_step_and_ends_unconfirmed() {
    let mut run = Run::standard();
    run.permit().accept().due();
    assert_eq!((run.state().step, run.now), (1, START.plus_s(90)));
    run.permit().accept().due();
    assert_eq!(run.state().step, 2);
    run.permit().accept();
    assert_eq!(run.state().status(), MessageStatus::SentUnconfirmed, "push succeeds on acceptance");
}

#[test]
fn a_permit_that_comes_a_moment_before_the_deadline_is_not_used() {
    let mut run = Run::standard();
    let wanted = Event::Permit { candidate: 0, adapter_version: AdapterVersion(1) };
    assert_eq!(run.after_ms(90_000 - 100).try_event(wanted.clone()), Err(StepError::Stale));
    assert_eq!(run.due().state().attempts.len(), 0, "the step ends without a call");
    assert_eq!((run.state().step, run.phase()), (1, Phase::Pending));
    let mut run = Run::standard();
    assert_eq!(run.after_ms(90_000 - 101).try_event(wanted), Ok(()));
}

#[test]
fn a_refused_recipient_ends_the_step_at_once() {
    let mut run = Run::standard();
    run.permit().outcome(Outcome::Rejected(failure(ErrorClass::RecipientPermanent)));
    assert_eq!((run.state().step, run.phase()), (1, Phase::Pending));
    assert_eq!(run.effects, [Effect::Acquire { candidates: vec![0] }]);
}

#[test]
fn a_refused_account_tries_the_next_provider_and_never_the_same_again() {
    let mut run = Run::standard();
    run.permit().outcome(Outcome::Rejected(failure(ErrorClass::Auth)));
    assert_eq!(run.effects, [Effect::Acquire { candidates: vec![1] }]);
    run.permit().outcome(Outcome::Rejected(failure(ErrorClass::Funds)));
    assert_eq!(run.state().step, 1);
}

#[test]
fn every_provider_refuses_every_channel_and_the_message_fails() {
    let mut run = Run::standard();
    for _ in 0..2 {
        run.permit().outcome(Outcome::Rejected(failure(ErrorClass::ContentRejected)));
    }
    run.permit().outcome(Outcome::Rejected(failure(ErrorClass::OptedOut)));
    assert_eq!((run.phase(), run.kinds().last().copied()), (Phase::Failed, Some("message.failed")));
}

#[test]
fn throttling_waits_as_long_as_asked_within_the_attempt_budget() {
    let mut run = Run::new(&envelope(|envelope| {
        envelope.plan.steps[0].candidates.truncate(1);
        envelope.plan.attempts_per_step = 2;
    }));
    let throttled = || Outcome::Throttled {
        retry_after_ms: Some(1_500),
        failure: failure(ErrorClass::ProviderThrottled),
    };
    run.permit().outcome(throttled());
    assert_eq!(run.phase(), Phase::Backoff { until: START.plus_ms(1_500), count: 1 });
    run.due().permit();
    assert_eq!(run.state().attempts.len(), 2);
    run.outcome(throttled());
    assert_eq!(run.state().step, 1, "the second attempt used up the budget");
}

#[test]
fn a_pause_longer_than_the_step_ends_it_now() {
    let mut run = Run::new(&envelope(|envelope| envelope.plan.steps[0].candidates.truncate(1)));
    run.permit().outcome(Outcome::Throttled {
        retry_after_ms: Some(91_000),
        failure: failure(ErrorClass::ProviderThrottled),
    });
    assert_eq!((run.state().step, run.now), (1, START));
}

#[test]
fn not_sent_fails_over_first_and_then_comes_back_after_a_pause() {
    let mut run = Run::standard();
    let not_sent = || Outcome::NotSent(failure(ErrorClass::Network));
    run.permit().outcome(not_sent());
    assert_eq!(run.effects, [Effect::Acquire { candidates: vec![1, 0] }]);
    run.permit().outcome(not_sent());
    assert_eq!(run.phase(), Phase::Backoff { until: START.plus_ms(1_000), count: 2 });
    run.due();
    assert_eq!(run.effects, [Effect::Acquire { candidates: vec![0, 1] }]);
}

#[test]
fn every_policy_for_an_unknown_outcome() {
    let after = |policy| {
        let mut run = Run::new(&envelope(|envelope| envelope.plan.on_unknown_outcome = policy));
        run.permit().outcome(unknown());
        assert!(run.state().flags.outcome_unknown && run.state().attempts[0].outcome_unknown);
        run
    };
    assert!(matches!(after(OnUnknownOutcome::Wait).phase(), Phase::AwaitingReceipt { attempt: 1, .. }));
    let mut resend = after(OnUnknownOutcome::Resend);
    assert!(matches!(resend.phase(), Phase::Backoff { .. }));
    assert_eq!(
        resend.due().effects,
        [Effect::Acquire { candidates: vec![0] }],
        "the same connection, not the next"
    );
    assert_eq!(after(OnUnknownOutcome::NextProvider).effects, [Effect::Acquire { candidates: vec![1, 0] }]);
    assert_eq!(after(OnUnknownOutcome::NextChannel).state().step, 1);
}

#[test]
fn an_unknown_outcome_waits_when_no_other_provider_is_left() {
    let mut run = Run::new(&envelope(|envelope| {
        envelope.plan.on_unknown_outcome = OnUnknownOutcome::NextProvider;
        envelope.plan.steps[0].candidates.truncate(1);
    }));
    run.permit().outcome(unknown());
    assert!(matches!(run.phase(), Phase::AwaitingReceipt { .. }));
}

#[test]
fn every_policy_for_a_server_error() {
    let after = |policy| {
        let mut run = Run::new(&envelope(|envelope| envelope.plan.on_server_error = policy));
        run.permit().outcome(server_error());
        assert!(run.state().flags.outcome_unknown);
        run
    };
    assert_eq!(after(OnServerError::NextProvider).effects, [Effect::Acquire { candidates: vec![1, 0] }]);
    assert!(matches!(after(OnServerError::Resend).phase(), Phase::Backoff { .. }));
    assert_eq!(after(OnServerError::NextChannel).state().step, 1);
    assert!(matches!(after(OnServerError::Wait).phase(), Phase::AwaitingReceipt { .. }));
}

#[test]
fn an_interrupted_submission_is_unknown_and_resume_never_dispatches_it() {
    let mut run = Run::standard();
    run.permit();
    assert_eq!(resume(&run.cascade, run.now).effects, [Effect::Reconcile { attempt: 1 }]);
    run.event(Event::Interrupted { attempt: 1 });
    assert_eq!(run.state().attempts[0].status, AttemptStatus::OutcomeUnknown);
    assert!(matches!(run.phase(), Phase::AwaitingReceipt { .. }));
    assert_eq!(run.try_event(Event::Interrupted { attempt: 1 }), Err(StepError::Stale));
}

#[test]
fn push_tokens_are_tried_in_order() {
    let mut run = Run::new(&envelope(|envelope| {
        envelope.plan.steps.drain(..2);
    }));
    run.permit().outcome(Outcome::Rejected(failure(ErrorClass::RecipientPermanent)));
    assert_eq!((run.state().step, run.phase()), (0, Phase::Pending), "the second token is left");
    run.permit().outcome(Outcome::Rejected(failure(ErrorClass::RecipientPermanent)));
    assert_eq!(run.phase(), Phase::Failed);
}

#[test]
fn cancelling_before_a_permit_is_immediate() {
    let mut run = Run::standard();
    run.event(Event::Cancel);
    assert_eq!(run.phase(), Phase::Cancelled);
    assert_eq!(run.try_event(Event::Cancel), Err(StepError::Terminal));
}

#[test]
fn cancelling_later_lets_the_attempt_decide_and_starts_no_other() {
    let mut run = Run::standard();
    run.permit().event(Event::Cancel);
    assert!(matches!(run.phase(), Phase::Submitting { .. }));
    run.outcome(Outcome::NotSent(failure(ErrorClass::Network)));
    assert_eq!(run.phase(), Phase::Cancelled);
    let mut run = Run::standard();
    run.permit().accept().event(Event::Cancel).due();
    assert_eq!(run.phase(), Phase::SentUnconfirmed, "it was accepted and may have arrived");
}

#[test]
fn expiry_ends_a_message_in_any_phase() {
    let short = || envelope(|envelope| envelope.expires_at = START.plus_s(10));
    let mut pending = Run::new(&short());
    assert_eq!((pending.due().phase(), pending.now), (Phase::Expired, START.plus_s(10)));
    let mut awaiting = Run::new(&short());
    assert_eq!(awaiting.permit().accept().due().phase(), Phase::SentUnconfirmed);
    let mut submitting = Run::new(&short());
    assert_eq!(submitting.permit().due().phase(), Phase::SentUnconfirmed);
    let mut scheduled = Run::new(&envelope(|envelope| {
        envelope.send_at = Some(START.plus_s(20));
        envelope.expires_at = START.plus_s(10);
    }));
    assert_eq!(scheduled.due().phase(), Phase::Expired);
}

#[test]
fn a_scheduled_message_starts_its_first_step_when_due() {
    let mut run = Run::new(&envelope(|envelope| envelope.send_at = Some(START.plus_s(20))));
    assert_eq!((run.state().status(), run.effects.is_empty()), (MessageStatus::Scheduled, true));
    run.due().permit().accept();
    assert_eq!(run.state().step_started_at, START.plus_s(20), "its time-out runs from its start");
}

#[test]
fn a_permit_after_the_step_has_ended_is_stale() {
    let mut run = Run::standard();
    run.after_ms(90_000);
    let late = Event::Permit { candidate: 0, adapter_version: super::fixture::VERSION };
    assert_eq!(run.try_event(late), Err(StepError::Stale));
}

#[test]
fn no_route_ends_the_step() {
    let mut run = Run::standard();
    run.event(Event::NoRoute);
    assert_eq!(run.state().step, 1);
}

#[test]
fn a_suppressed_step_ends_without_an_attempt_and_says_so() {
    let mut run = Run::standard();
    run.event(Event::Suppressed);
    assert_eq!((run.state().step, run.state().attempts.len()), (1, 0));
    assert_eq!(
        run.kinds(),
        ["message.accepted", "step.started", "step.suppressed", "step.advanced", "step.started"]
    );
    run.event(Event::Suppressed).event(Event::Suppressed);
    assert_eq!((run.phase(), run.state().reason), (Phase::Failed, StatusReason::RecipientSuppressed));
}

#[test]
fn a_suppression_does_not_undo_what_is_with_a_provider() {
    let mut run = Run::standard();
    run.permit();
    assert_eq!(run.try_event(Event::Suppressed), Err(StepError::Stale));
    run.accept();
    assert_eq!(run.try_event(Event::Suppressed), Err(StepError::Stale));
    run.due().event(Event::Suppressed).event(Event::Suppressed);
    assert_eq!(run.phase(), Phase::SentUnconfirmed, "the first step may have arrived");
}

#[test]
fn an_opt_out_that_a_provider_proves_is_remembered() {
    for (provider, code, lasts) in
        [("twilio", "21610", true), ("twilio", "30004", false), ("p", "21610", false)]
    {
        let run = || {
            Run::new(&envelope(|envelope| {
                for candidate in &mut envelope.plan.steps[0].candidates {
                    provider.clone_into(&mut candidate.provider);
                }
            }))
        };
        let told = || Failure { code: Some(code.to_owned()), ..failure(ErrorClass::OptedOut) };
        let (mut refused, mut receipt) = (run(), run());
        refused.permit().outcome(Outcome::Rejected(told()));
        receipt.permit().accept().receipt(1, ReceiptStatus::Undelivered(told()));
        for run in [refused, receipt] {
            let is_remembered = run.effects.contains(&Effect::RememberOptOut { attempt: 1 });
            assert_eq!(is_remembered, lasts, "{provider} {code}: {:?}", run.effects);
            assert_eq!(run.state().step, 1, "the next step starts either way");
        }
    }
}

#[test]
fn a_message_is_tried_only_through_what_it_can_still_pay_for() {
    let eur = |amount: &str| Some(crate::money::Money::parse(amount, "EUR").unwrap());
    let envelope = envelope(|envelope| {
        envelope.max_cost = eur("0.10");
        for (candidate, price) in envelope.plan.steps[0].candidates.iter_mut().zip(["0.06", "0.05"]) {
            candidate.price = eur(price);
        }
        assert_eq!(envelope.plan.steps[0].candidates.len(), 2);
    });
    let mut run = Run::new(&envelope);
    let fits = |run: &Run| crate::standing::affordable(&envelope, run.state(), &[0, 1]);
    assert_eq!(fits(&run), [0, 1]);
    run.permit();
    assert_eq!(fits(&run), Vec::<u8>::new(), "the provider may have taken it");
    run.outcome(Outcome::Rejected(failure(ErrorClass::ProviderFault)));
    assert_eq!(fits(&run), [0, 1], "it has not");
}
