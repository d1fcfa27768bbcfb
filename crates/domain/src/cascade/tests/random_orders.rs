//! Random histories: events repeated, reordered, late and contradicting.

use proptest::prelude::*;

use super::fixture::{Run, START, envelope, failure};
use crate::{
    cascade::{AdapterVersion, Cascade, Event, Phase, begin, decode, encode, invariants, step},
    outcome::{Acceptance, ErrorClass, Failure, Level, Outcome, Receipt, ReceiptStatus},
    plan::{OnLateReceipt, OnServerError, OnUnknownOutcome},
    usage::{UsageCounts, UsageEntry, changes},
};

fn class() -> impl Strategy<Value = ErrorClass> {
    prop_oneof![
        Just(ErrorClass::RecipientPermanent),
        Just(ErrorClass::RecipientTemporary),
        Just(ErrorClass::Auth),
        Just(ErrorClass::OptedOut),
        Just(ErrorClass::Funds),
        Just(ErrorClass::ProviderFault),
        Just(ErrorClass::Unknown),
    ]
}

fn any_failure() -> impl Strategy<Value = Failure> {
    class().prop_map(failure)
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![
        Just(Level::Accepted),
        Just(Level::Sent),
        Just(Level::Delivered),
        Just(Level::Read),
        Just(Level::Acknowledged)
    ]
}

fn outcome() -> impl Strategy<Value = Outcome> {
    prop_oneof![
        3 => prop::option::of("[A-Z]{2}[0-9]{4}").prop_map(|id| Outcome::Accepted(Acceptance { provider_message_id: id, ..Acceptance::default() })),
        1 => any_failure().prop_map(Outcome::Rejected),
        1 => (prop::option::of(0u64..120_000), any_failure()).prop_map(|(retry_after_ms, failure)| Outcome::Throttled { retry_after_ms, failure }),
        1 => any_failure().prop_map(Outcome::NotSent),
        1 => any_failure().prop_map(Outcome::ServerError),
        1 => any_failure().prop_map(Outcome::Unknown),
        1 => any_failure().prop_map(Outcome::AdapterFault),
    ]
}

fn receipt() -> impl Strategy<Value = ReceiptStatus> {
    prop_oneof![
        3 => level().prop_map(ReceiptStatus::Reached),
        1 => any_failure().prop_map(ReceiptStatus::Undelivered),
        1 => any_failure().prop_map(ReceiptStatus::Failed),
        1 => any_failure().prop_map(ReceiptStatus::Rejected),
        1 => any_failure().prop_map(ReceiptStatus::Expired),
    ]
}

/// An event, with attempts counted back from the newest so that most of them exist.
#[derive(Clone, Debug)]
enum Move {
    Permit(u8),
    Outcome(u16, Outcome),
    Receipt(u16, Option<u8>, ReceiptStatus),
    Plain(Event),
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        4 => (0u8..3).prop_map(Move::Permit),
        4 => (0u16..3, outcome()).prop_map(|(back, outcome)| Move::Outcome(back, outcome)),
        4 => (0u16..4, proptest::option::of(0u8..3), receipt())
            .prop_map(|(back, part, status)| Move::Receipt(back, part, status)),
        3 => Just(Move::Plain(Event::Due)),
        1 => Just(Move::Plain(Event::Cancel)),
        1 => Just(Move::Plain(Event::Acknowledge)),
        1 => Just(Move::Plain(Event::Recovered)),
        1 => Just(Move::Plain(Event::NoRoute)),
        1 => Just(Move::Plain(Event::Suppressed)),
    ]
}

fn event(run: &Run, a_move: Move) -> Event {
    let number = |back: u16| run.state().last_attempt().saturating_sub(back);
    match a_move {
        Move::Permit(candidate) => Event::Permit { candidate, adapter_version: AdapterVersion(9) },
        Move::Outcome(back, outcome) => Event::Outcome { attempt: number(back), outcome },
        Move::Plain(event) => event,
        Move::Receipt(back, part, status) => {
            let attempt = number(back);
            let through = run.state().attempt(attempt).map_or_else(
                || super::fixture::connection(99),
                |record| {
                    run.cascade.envelope.plan.steps[usize::from(record.step)].candidates
                        [usize::from(record.candidate)]
                    .connection
                },
            );
            let part = part.map(|part| part.to_string());
            let receipt = Receipt { part, segments: Some(2), ..Receipt::of(status) };
            Event::Receipt { attempt, connection: through, receipt }
        }
    }
}

fn policies() -> impl Strategy<Value = (OnLateReceipt, OnUnknownOutcome, OnServerError)> {
    use {OnLateReceipt as L, OnServerError as S, OnUnknownOutcome as U};
    (
        prop_oneof![Just(L::StopRemaining), Just(L::Record)],
        prop_oneof![Just(U::Wait), Just(U::Resend), Just(U::NextProvider), Just(U::NextChannel)],
        prop_oneof![Just(S::NextProvider), Just(S::Resend), Just(S::NextChannel), Just(S::Wait)],
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn any_history_keeps_the_invariants_survives_encoding_and_ends(
        policies in policies(),
        moves in prop::collection::vec((a_move(), 0u64..30_000), 1..60),
    ) {
        let envelope = envelope(|envelope| {
            (envelope.plan.on_late_receipt, envelope.plan.on_unknown_outcome, envelope.plan.on_server_error) = policies;
        });
        let mut run = Run::new(&envelope);
        for (a_move, pause) in moves {
            run.after_ms(pause);
            let event = event(&run, a_move);
            if let Ok(transition) = step(&run.cascade, event, run.now) {
                prop_assert_eq!(invariants::violated(&run.cascade, &transition.next), None);
                let stored = decode(&encode(&transition.next));
                prop_assert_eq!(stored.as_ref(), Ok(&transition.next));
                run.cascade.state = transition.next;
            }
        }
        for _ in 0..100 {
            let Some(due) = run.state().due(&envelope) else { break };
            run.now = run.now.max(due);
            prop_assert!(run.try_event(Event::Due).is_ok());
        }
        prop_assert!(run.phase().is_terminal());
        // The moves take minutes, the message may take days: only its deadlines bring it to an end in time.
        prop_assert!(run.state().completed_at.unwrap() <= envelope.expires_at.plus_ms(5_000));
    }

    #[test]
    fn counts_made_with_each_decision_add_up_to_what_the_last_state_says(
        moves in prop::collection::vec((a_move(), 0u64..30_000), 1..60),
    ) {
        let envelope = envelope(|envelope| {
            for step in &mut envelope.plan.steps {
                step.parts = 3;
                step.candidates[0].price = Some(crate::money::Money::parse("0.12", "EUR").unwrap());
            }
        });
        let mut run = Run::new(&envelope);
        let mut sums = std::collections::BTreeMap::new();
        let mut add = |entries: Vec<UsageEntry>| for entry in entries {
            sums.entry(entry.key).or_insert_with(UsageCounts::default).add(entry.counts, 1);
        };
        add(changes(&envelope, None, run.state()));
        for (a_move, pause) in moves {
            run.after_ms(pause);
            let (before, event) = (run.state().clone(), event(&run, a_move));
            if run.try_event(event).is_ok() {
                add(changes(&envelope, Some(&before), run.state()));
            }
        }
        let whole: std::collections::BTreeMap<_, _> =
            changes(&envelope, None, run.state()).into_iter().map(|entry| (entry.key, entry.counts)).collect();
        sums.retain(|_, counts| *counts != UsageCounts::default());
        prop_assert_eq!(&sums, &whole);
        let total = |of: fn(&UsageCounts) -> i64| whole.values().map(of).sum::<i64>();
        prop_assert_eq!(total(|counts| counts.messages), 1);
        prop_assert_eq!(total(|counts| counts.attempts), run.state().attempts.len() as i64);
    }

    #[test]
    fn a_step_is_submitted_again_only_after_an_outcome_is_on_record(
        moves in prop::collection::vec((a_move(), 0u64..5_000), 1..60),
    ) {
        let envelope = envelope(|_| {});
        let mut run = Run { cascade: Cascade { envelope: envelope.clone(), state: begin(&envelope, START).next }, effects: vec![], now: START };
        for (a_move, pause) in moves {
            run.after_ms(pause);
            let before = run.state().attempts.clone();
            let event = event(&run, a_move);
            if run.try_event(event).is_ok() && run.state().attempts.len() > before.len() {
                let settled = before.last().is_none_or(|last| last.status != crate::cascade::AttemptStatus::Submitting);
                prop_assert!(settled, "a second attempt while the first was in flight");
            }
        }
    }

    /// A STOP in the middle of anything makes no attempt, and leaves every attempt there was as it is.
    #[test]
    fn a_suppressed_step_makes_no_attempt_and_the_next_one_starts(
        moves in prop::collection::vec((a_move(), 0u64..5_000), 0..40),
    ) {
        let envelope = envelope(|_| {});
        let mut run = Run::new(&envelope);
        for (a_move, pause) in moves {
            run.after_ms(pause);
            let event = event(&run, a_move);
            let _ = run.try_event(event);
        }
        let before = run.state().clone();
        if run.try_event(Event::Suppressed).is_ok() {
            let after = run.state();
            prop_assert_eq!(&after.attempts, &before.attempts);
            prop_assert!(after.phase.is_terminal() || after.step == before.step + 1);
        } else {
            // A pause is for connections that were tried: whether they may write is asked when it is over.
            let waits_for_a_permit = match before.phase {
                Phase::Backoff { until, .. } => until >= before.step_deadline(&envelope),
                phase => phase == Phase::Pending,
            };
            prop_assert!(!waits_for_a_permit);
        }
    }
}
