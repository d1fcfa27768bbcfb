//! Which messages may be sent once more.

use super::fixture::{Run, START, envelope, failure, reached, undelivered};
use crate::{
    cascade::{MessageStatus, NotRedrivable, Phase, REDRIVABLE_MS, redrivable},
    message::Envelope,
    outcome::{ErrorClass, Level, Outcome},
    plan::OnUnknownOutcome,
};

/// A message with the SMS step alone.
fn sms(change: impl FnOnce(&mut Envelope)) -> Run {
    Run::new(&envelope(|envelope| {
        envelope.plan.steps.truncate(1);
        change(envelope);
    }))
}

fn verdict(run: &Run) -> Result<(), NotRedrivable> {
    redrivable(&run.cascade.envelope, run.state(), run.now)
}

#[test]
fn refused_undelivered_and_never_sent_messages_may_be_sent_once_more() {
    let mut refused = sms(|_| {});
    for _ in 0..2 {
        refused.permit().outcome(Outcome::Rejected(failure(ErrorClass::Funds)));
    }
    let mut undelivered_one = sms(|_| {});
    undelivered_one.permit().accept().receipt(1, undelivered());
    let mut never_sent = sms(|envelope| envelope.expires_at = START.plus_s(10));
    never_sent.due();
    let ended = [&refused, &undelivered_one, &never_sent].map(|run| run.state().status());
    assert_eq!(ended, [MessageStatus::Failed, MessageStatus::Failed, MessageStatus::Expired]);
    for run in [refused, undelivered_one, never_sent] {
        assert_eq!(verdict(&run), Ok(()), "{:?}", run.state());
    }
}

#[test]
fn what_runs_or_ended_otherwise_was_not_given_up() {
    let mut run = sms(|_| {});
    assert_eq!(verdict(&run), Err(NotRedrivable::NotGivenUp));
    run.permit().accept().due();
    assert_eq!(run.phase(), Phase::SentUnconfirmed);
    assert_eq!(verdict(&run), Err(NotRedrivable::NotGivenUp));
    let mut unknown = sms(|envelope| envelope.plan.on_unknown_outcome = OnUnknownOutcome::NextChannel);
    unknown.permit().outcome(Outcome::Unknown(failure(ErrorClass::Network)));
    assert_eq!(verdict(&unknown), Err(NotRedrivable::NotGivenUp), "{:?}", unknown.phase());
}

#[test]
fn a_late_receipt_shows_that_a_failed_message_has_arrived() {
    let mut run = sms(|_| {});
    run.permit().accept().receipt(1, undelivered());
    assert_eq!((run.phase(), verdict(&run)), (Phase::Failed, Ok(())));
    run.receipt(1, reached(Level::Delivered));
    assert_eq!(run.phase(), Phase::Failed, "a terminal status is frozen");
    assert_eq!(verdict(&run), Err(NotRedrivable::MayHaveArrived));
}

#[test]
fn an_erased_recipient_and_a_long_gone_message_are_left_alone() {
    let mut erased = sms(|envelope| envelope.erased_at = Some(START));
    erased.permit().accept().receipt(1, undelivered());
    assert_eq!(verdict(&erased), Err(NotRedrivable::Erased));
    let mut old = sms(|_| {});
    old.permit().accept().receipt(1, undelivered());
    assert_eq!(verdict(old.after_ms(REDRIVABLE_MS)), Ok(()));
    assert_eq!(verdict(old.after_ms(1)), Err(NotRedrivable::TooOld));
}
