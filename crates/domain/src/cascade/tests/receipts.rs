//! Receipts: early, late, repeated, reordered, contradicting, foreign.

use super::fixture::{Run, connection, envelope, failure, reached, undelivered};
use crate::{
    address::Channel,
    cascade::{AttemptStatus, Effect, Event, Phase, StepError},
    content::Whatsapp,
    outcome::{Acceptance, ErrorClass, Level, Outcome, Receipt, ReceiptStatus},
    plan::{OnLateReceipt, OnUnknownOutcome},
};

#[test]
fn repeats_and_reorderings_change_nothing() {
    let mut run = Run::standard();
    run.permit().accept().receipt(1, reached(Level::Sent));
    assert_eq!(run.try_receipt(1, reached(Level::Sent)), Err(StepError::Stale));
    run.receipt(1, reached(Level::Delivered));
    for again in [Level::Delivered, Level::Sent, Level::Accepted] {
        assert_eq!(run.try_receipt(1, reached(again)), Err(StepError::Stale));
    }
    assert_eq!(run.state().attempts[0].status, AttemptStatus::Reached(Level::Delivered));
}

#[test]
fn a_receipt_may_overtake_the_answer() {
    let mut run = Run::standard();
    run.permit().receipt(1, reached(Level::Sent));
    assert!(matches!(run.phase(), Phase::Submitting { .. }));
    run.accept();
    assert_eq!(run.state().attempts[0].status, AttemptStatus::Reached(Level::Sent));
    assert!(matches!(run.phase(), Phase::AwaitingReceipt { .. }));

    let mut run = Run::standard();
    run.permit().receipt(1, reached(Level::Delivered));
    assert_eq!(run.phase(), Phase::Delivered);
    assert_eq!(
        run.try_event(Event::Outcome { attempt: 1, outcome: Outcome::Unknown(failure(ErrorClass::Network)) }),
        Err(StepError::Stale)
    );
}

#[test]
fn a_refusal_that_overtakes_the_answer_takes_effect_with_it() {
    let mut run = Run::standard();
    run.permit().receipt(1, undelivered());
    assert!(matches!(run.phase(), Phase::Submitting { .. }), "two attempts are never in flight");
    run.accept();
    assert_eq!((run.state().step, run.state().attempts[0].status), (1, AttemptStatus::Undelivered));
    assert_eq!(run.state().attempts[0].provider_message_id.as_deref(), Some("SM1"));
}

#[test]
fn undelivered_starts_the_next_step_at_once() {
    let mut run = Run::standard();
    run.permit().accept().after_ms(70).receipt(1, undelivered());
    assert_eq!((run.state().step, run.phase()), (1, Phase::Pending));
}

#[test]
fn a_suspended_account_found_by_receipt_tries_the_next_provider() {
    let mut run = Run::standard();
    run.permit().accept().receipt(1, ReceiptStatus::Failed(failure(ErrorClass::Funds)));
    assert_eq!((run.state().step, run.effects.clone()), (0, vec![Effect::Acquire { candidates: vec![1] }]));
}

#[test]
fn a_late_receipt_stops_the_remaining_steps_or_is_only_recorded() {
    let mut stopped = Run::standard();
    stopped.permit().accept().due().permit().receipt(1, reached(Level::Delivered));
    assert_eq!(stopped.phase(), Phase::Delivered);
    assert!(stopped.state().flags.delivered_late);
    assert_eq!(
        stopped.state().attempts[1].status,
        AttemptStatus::OutcomeUnknown,
        "its call was still running"
    );
    stopped.event(Event::Outcome { attempt: 2, outcome: Outcome::Accepted(Acceptance::default()) });
    assert_eq!(stopped.state().attempts[1].status, AttemptStatus::Reached(Level::Accepted));

    let mut recorded = Run::new(&envelope(|envelope| envelope.plan.on_late_receipt = OnLateReceipt::Record));
    recorded.permit().accept().due().permit().receipt(1, reached(Level::Delivered));
    assert!(matches!(recorded.phase(), Phase::Submitting { attempt: 2, .. }));
    recorded.accept().receipt(2, reached(Level::Delivered));
    assert!(recorded.state().flags.delivered_multiple && recorded.state().flags.delivered_late);
}

#[test]
fn a_receipt_for_an_earlier_attempt_of_the_same_step_succeeds_the_step() {
    let mut run =
        Run::new(&envelope(|envelope| envelope.plan.on_unknown_outcome = OnUnknownOutcome::NextProvider));
    run.permit().outcome(Outcome::Unknown(failure(ErrorClass::Network))).permit().accept();
    run.receipt(1, reached(Level::Delivered));
    assert_eq!(run.phase(), Phase::Delivered);
    assert!(!run.state().flags.delivered_late);
}

#[test]
fn receipts_after_the_end_add_flags_and_move_no_status() {
    let mut run = Run::new(&envelope(|envelope| envelope.plan.steps.truncate(1)));
    run.permit().accept().due();
    assert_eq!(run.phase(), Phase::SentUnconfirmed);
    run.after_ms(5_000).receipt(1, reached(Level::Delivered));
    assert_eq!((run.phase(), run.state().confirmed_at), (Phase::SentUnconfirmed, Some(run.now)));
    assert!(run.state().flags.delivered_late);
}

#[test]
fn contradictions_are_flagged_once_and_status_stays() {
    let mut run = Run::standard();
    run.permit().accept().receipt(1, reached(Level::Delivered)).receipt(1, undelivered());
    assert!(run.state().flags.contradicted);
    assert_eq!(
        (run.phase(), run.state().attempts[0].status),
        (Phase::Delivered, AttemptStatus::Reached(Level::Delivered))
    );
    assert_eq!(run.try_receipt(1, undelivered()), Err(StepError::Stale));

    let mut reverse = Run::standard();
    reverse.permit().accept().receipt(1, undelivered()).receipt(1, reached(Level::Delivered));
    assert!(reverse.state().flags.contradicted);
    assert_eq!(reverse.phase(), Phase::Delivered, "it did arrive");
}

#[test]
fn a_foreign_connection_or_provider_id_is_quarantined() {
    let mut run = Run::standard();
    run.permit().accept();
    let receipt =
        |id: &str| Receipt { provider_message_id: Some(id.into()), ..Receipt::of(reached(Level::Delivered)) };
    let event = |number, through, id| Event::Receipt {
        attempt: number,
        connection: connection(through),
        receipt: receipt(id),
    };
    assert_eq!(run.try_event(event(1, 2, "SM1")), Err(StepError::Quarantined), "another connection");
    assert_eq!(run.try_event(event(1, 1, "SM9")), Err(StepError::Quarantined), "another provider id");
    assert_eq!(run.try_event(event(7, 1, "SM1")), Err(StepError::Quarantined), "no such attempt");
    run.event(event(1, 1, "SM1"));
    assert_eq!(run.phase(), Phase::Delivered);
}

#[test]
fn an_acknowledgement_counts_for_the_newest_push_attempt() {
    let mut run = Run::new(&envelope(|envelope| {
        envelope.plan.steps.drain(..2);
        envelope.plan.steps[0].success_on = Level::Acknowledged;
    }));
    run.permit().accept().event(Event::Acknowledge);
    assert_eq!(
        (run.phase(), run.state().attempts[0].status),
        (Phase::Delivered, AttemptStatus::Reached(Level::Acknowledged))
    );
}

#[test]
fn a_long_text_has_arrived_once_all_its_parts_have() {
    let accepted = || {
        let acceptance = Acceptance { segments: Some(2), ..Acceptance::default() };
        Outcome::Accepted(acceptance)
    };
    let mut run = Run::standard();
    run.permit().outcome(accepted());
    run.try_part("A1", reached(Level::Sent)).unwrap();
    run.try_part("A1", reached(Level::Delivered)).unwrap();
    assert_eq!(run.try_part("A1", reached(Level::Delivered)), Err(StepError::Stale), "the same part again");
    assert_eq!(run.state().attempts[0].status, AttemptStatus::Reached(Level::Sent));
    assert!(matches!(run.phase(), Phase::AwaitingReceipt { .. }));
    run.try_part("A2", reached(Level::Delivered)).unwrap();
    assert_eq!(run.phase(), Phase::Delivered);

    // Both overtake the answer, which alone tells how many there are.
    let mut run = Run::standard();
    run.permit();
    run.try_part("A1", reached(Level::Delivered)).unwrap();
    run.try_part("A2", reached(Level::Delivered)).unwrap();
    assert!(matches!(run.phase(), Phase::Submitting { .. }));
    run.outcome(accepted());
    assert_eq!(run.phase(), Phase::Delivered);

    // The first refused part decides.
    let mut run = Run::standard();
    run.permit().outcome(accepted());
    run.try_part("A2", reached(Level::Delivered)).unwrap();
    run.try_part("A1", undelivered()).unwrap();
    assert_eq!((run.state().step, run.phase()), (1, Phase::Pending));
}

#[test]
fn a_refused_text_is_followed_by_its_alternate_once() {
    let whatsapp = |alternate: bool| {
        envelope(|envelope| {
            envelope.plan.steps[0].channel = Channel::Whatsapp;
            envelope.content.whatsapp = Some(Whatsapp {
                text: Some("Hi".into()),
                fallback_template: alternate.then(|| serde_json::json!({ "name": "hi", "language": "en" })),
                ..Whatsapp::default()
            });
        })
    };
    let closed = || failure(ErrorClass::NeedsAlternate);

    // By the answer, and by a receipt after it.
    for by_receipt in [false, true] {
        let mut run = Run::new(&whatsapp(true));
        run.permit();
        if by_receipt {
            run.accept().receipt(1, ReceiptStatus::Undelivered(closed()));
        } else {
            run.outcome(Outcome::Rejected(closed()));
        }
        assert_eq!((run.state().step, run.phase()), (0, Phase::Pending));
        assert!(!run.state().is_alternate(1));
        run.permit();
        assert!(run.state().is_alternate(2));
        assert_eq!(run.state().attempts[1].candidate, 0, "through the same connection");
        // Never a second time.
        run.outcome(Outcome::Rejected(closed()));
        assert_eq!((run.state().step, run.phase()), (1, Phase::Pending));
    }

    let mut run = Run::new(&whatsapp(false));
    run.permit().outcome(Outcome::Rejected(closed()));
    assert_eq!((run.state().step, run.phase()), (1, Phase::Pending), "there is no alternate");
}

#[test]
fn a_receipt_for_an_earlier_step_after_a_later_one_delivered_is_late() {
    let mut run = Run::standard();
    run.permit().accept().due().permit().accept().receipt(2, reached(Level::Delivered));
    run.receipt(2, reached(Level::Read));
    assert!(!run.state().flags.delivered_late, "the same attempt got further");
    run.after_ms(3_000).receipt(1, reached(Level::Delivered));
    let flags = run.state().flags;
    assert!(flags.delivered_late && flags.delivered_multiple, "{flags:?}");
    assert_eq!((run.phase(), run.kinds().last().copied()), (Phase::Delivered, Some("receipt.late")));
    let entries = run.state().timeline.len();
    run.receipt(1, reached(Level::Read));
    assert_eq!(run.state().timeline.len(), entries + 1, "it is told once");
}
