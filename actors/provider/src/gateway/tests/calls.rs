use super::*;
use crate::fakes::{Reply, answer, connection, orphan};
use hermes_domain::{
    breaker::BreakerState,
    outcome::{ErrorClass, Level, Receipt, ReceiptStatus},
};
use hermes_ports::{adapter::AdapterFault, egress::EgressError, receipt_inbox::ParkedId};
use std::sync::atomic::Ordering;

async fn world() -> World {
    World::new([connection(1, 1_000)]).await
}

#[tokio::test(start_paused = true)]
async fn what_is_known_follows_from_where_the_call_ended() {
    let cases = [
        (EgressError::Connect("x".into()), "not sent", ErrorClass::Network),
        (EgressError::Refused("x".into()), "not sent", ErrorClass::Network),
        (EgressError::Credentials("x".into()), "not sent", ErrorClass::Auth),
        (EgressError::Token("x".into()), "not sent", ErrorClass::Auth),
        (EgressError::Timeout { limit_ms: 9_000 }, "unknown", ErrorClass::Network),
        (EgressError::Lost("x".into()), "unknown", ErrorClass::Network),
        (EgressError::TooLarge { limit_bytes: 1 }, "unknown", ErrorClass::ProviderFault),
    ];
    let world = world().await;
    for (error, known, class) in cases {
        world.egress.always(Reply::Fails(error.clone()));
        let (told, failure) = match world.outcome().await {
            Outcome::NotSent(failure) => ("not sent", failure),
            Outcome::Unknown(failure) => ("unknown", failure),
            other => panic!("{error:?} ended as {other:?}"),
        };
        assert_eq!((told, failure.class), (known, class), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_failed_safe_request_has_sent_nothing() {
    let world = world().await;
    world.host.logs_in.store(true, Ordering::SeqCst);
    world.egress.always(Reply::Fails(EgressError::Lost("x".into())));
    assert!(matches!(world.outcome().await, Outcome::NotSent(_)));
    world.egress.always(answer(202, &[], "SM1"));
    assert!(matches!(world.outcome().await, Outcome::Accepted(_)));
    assert_eq!(world.egress.sent(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_fault_hurts_only_its_attempt_and_says_whether_something_went_out() {
    let world = world().await;
    *world.host.send_fault.lock() = Some(AdapterFault::Trap("x".into()));
    assert!(matches!(world.outcome().await, Outcome::AdapterFault(_)));
    assert_eq!(world.egress.sent(), 0);
    *world.host.resume_fault.lock() = Some(AdapterFault::MemoryLimit { limit_bytes: 1 });
    assert!(matches!(world.outcome().await, Outcome::Unknown(_)));
    world.egress.always(answer(429, &[], ""));
    *world.host.resume_fault.lock() = Some(AdapterFault::Trap("x".into()));
    assert!(matches!(world.outcome().await, Outcome::AdapterFault(_)), "a 429 was not processed");
    world.egress.always(answer(202, &[], "SM1"));
    assert!(matches!(world.outcome().await, Outcome::Accepted(_)));
    assert_eq!(world.gateway.health(connection_id(1)).await.unwrap().breaker, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_second_submission_is_never_sent() {
    let world = world().await;
    world.host.submits_again.store(true, Ordering::SeqCst);
    assert!(matches!(world.outcome().await, Outcome::Unknown(_)));
    assert_eq!(world.egress.sent(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_forgotten_and_may_be_submitted_again() {
    let world = world().await;
    let mut refused = false;
    world.egress.script(move |_, _| {
        let status = if std::mem::replace(&mut refused, true) { 202 } else { 401 };
        answer(status, &[], "SM1")
    });
    assert!(matches!(world.outcome().await, Outcome::Accepted(_)));
    assert_eq!(*world.egress.forgotten.lock(), [connection_id(1)]);
}

#[tokio::test(start_paused = true)]
async fn past_its_time_a_call_is_not_started() {
    let world = world().await;
    let permit = world.permit(1).await;
    let dispatch = Dispatch { call: call(1), not_after: world.after(0), deadline: world.after(9_000) };
    world.gateway.dispatch(permit, dispatch);
    assert!(matches!(outcome_of(&world.inbox.events(1).await[0].1), Outcome::NotSent(_)));
    assert_eq!(world.egress.sent(), 0);
    assert_eq!(world.gateway.health(connection_id(1)).await.unwrap().in_flight, 0);
}

#[tokio::test(start_paused = true)]
async fn a_late_login_leaves_no_time_to_submit() {
    let world = world().await;
    world.host.logs_in.store(true, Ordering::SeqCst);
    let clock = world.clock.clone();
    let permit = world.permit(1).await;
    let until = clock.now().plus_ms(1);
    world.egress.script(move |_, _| {
        while clock.now() < until {
            std::hint::spin_loop(); // The clock is not paused in this test's runtime.
        }
        answer(200, &[], "token")
    });
    tokio::time::resume();
    let dispatch = Dispatch { call: call(1), not_after: until, deadline: world.after(9_000) };
    world.gateway.dispatch(permit, dispatch);
    assert!(matches!(outcome_of(&world.inbox.events(1).await[0].1), Outcome::NotSent(_)));
    assert!(world.egress.sent() <= 1, "the submission was not sent");
}

#[tokio::test(start_paused = true)]
async fn a_call_is_aborted_at_its_deadline_and_unknown() {
    let world = world().await;
    world.egress.always(Reply::Hangs);
    let started = tokio::time::Instant::now();
    let permit = world.permit(1).await;
    world.dispatch_within(permit, 1, 3_000);
    assert!(matches!(outcome_of(&world.inbox.events(1).await[0].1), Outcome::Unknown(_)));
    assert_eq!(started.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_connection_sets_its_own_limit_within_bounds() {
    for (setting, seconds) in
        [(serde_json::json!(2), 2), (serde_json::json!("4"), 4), (serde_json::json!(900), 30)]
    {
        let mut slow = connection(1, 1_000);
        slow.config.insert("timeout_s".to_owned(), setting);
        let world = World::new([slow]).await;
        world.egress.always(Reply::Hangs);
        let started = tokio::time::Instant::now();
        assert!(matches!(world.outcome().await, Outcome::Unknown(_)));
        assert_eq!(started.elapsed().as_secs(), seconds);
    }
}

#[tokio::test(start_paused = true)]
async fn an_attempt_is_in_flight_until_its_outcome_is_durable() {
    let world = world().await;
    *world.inbox.refusals.lock() = 6;
    let permit = world.permit(1).await;
    world.dispatch(permit, 1);
    let attempt = call(1).reference;
    assert!(world.gateway.in_flight(attempt));
    world.until(|world| *world.inbox.refusals.lock() < 3).await;
    assert!(world.gateway.in_flight(attempt), "the provider has answered, but nobody knows yet");
    assert_eq!(world.gateway.health(connection_id(1)).await.unwrap().in_flight, 0, "the slot is free");
    world.inbox.events(1).await;
    world.until(|world| !world.gateway.in_flight(attempt)).await;
}

#[tokio::test(start_paused = true)]
async fn an_inbox_that_never_takes_the_outcome_is_given_up() {
    let world = world().await;
    *world.inbox.refusals.lock() = u32::MAX;
    let permit = world.permit(1).await;
    world.dispatch(permit, 1);
    tokio::time::sleep(Duration::from_secs(55)).await;
    assert!(world.gateway.in_flight(call(1).reference));
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(!world.gateway.in_flight(call(1).reference), "recovery may now treat it as unknown");
}

#[tokio::test(start_paused = true)]
async fn the_same_attempt_is_never_sent_twice_at_once() {
    let world = world().await;
    world.egress.always(Reply::Hangs);
    for _ in 0..2 {
        let permit = world.permit(1).await;
        world.dispatch(permit, 1);
    }
    world.inbox.events(1).await;
    assert_eq!((world.egress.sent(), world.inbox.events.lock().len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn receipts_that_came_too_early_follow_the_outcome() {
    let world = world().await;
    let receipt = Receipt {
        provider_message_id: Some("SM1".to_owned()),
        ..Receipt::of(ReceiptStatus::Reached(Level::Delivered))
    };
    world.until(|world| !world.gateway.shared.orphans.may_wait(connection_id(1), "SM1")).await;
    let body = serde_json::to_vec(&receipt).unwrap();
    world.gateway.receipts().park(orphan(connection_id(1), "SM1", &body)).await.unwrap();
    world.outcome().await;
    let events = world.inbox.events(2).await;
    let (message, event, consumed) = &events[1];
    let Event::Receipt { attempt, connection, receipt: told } = event else { panic!("{event:?}") };
    assert_eq!((*message, *attempt, *connection), (MessageId::from_u128(7), 1, connection_id(1)));
    assert_eq!((told, *consumed), (&receipt, Some(ParkedId(1))));
    assert_eq!(*world.receipts.questions.lock(), ["SM1"], "nothing else is asked for");
}

#[tokio::test(start_paused = true)]
async fn a_guest_that_loops_is_moved_off_the_runtime() {
    let world = world().await;
    *world.host.send_fault.lock() = Some(AdapterFault::TimeLimit { limit_ms: 10 });
    assert!(matches!(world.outcome().await, Outcome::AdapterFault(_)));
    let line = world.gateway.shared.line(connection_id(1)).unwrap();
    assert!(line.guests.is_slow(world.gateway.shared.version(&line)));
    assert!(matches!(world.outcome().await, Outcome::Accepted(_)), "it still works, on its own thread");
}
