//! Asking with a deadline, and addresses that outlive an actor.

use std::time::Duration;

use hermes_supervision::{Address, AskError, MailboxKind, ask};
use ractor::{Actor, ActorRef};

use crate::worker::{Worker, WorkerMsg};

const LIMIT: Duration = Duration::from_secs(5);

async fn worker() -> ActorRef<WorkerMsg> {
    Worker::spawn(None, Worker, ()).await.unwrap().0
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_does_not_answer_times_out() {
    let worker = worker().await;
    let outcome = ask(&worker, WorkerMsg::Hold, LIMIT).await;
    assert_eq!(outcome, Err(AskError::Timeout { waited: LIMIT }));
}

#[tokio::test]
async fn a_dropped_question_and_a_dead_actor_are_gone() {
    let worker = worker().await;
    assert_eq!(ask(&worker, WorkerMsg::Ignore, LIMIT).await, Err(AskError::Gone));
    worker.stop_and_wait(None, Some(LIMIT)).await.unwrap();
    assert_eq!(ask(&worker, WorkerMsg::Ping, LIMIT).await, Err(AskError::Gone));
}

#[tokio::test]
async fn an_answer_arrives() {
    let worker = worker().await;
    assert_eq!(ask(&worker, WorkerMsg::Ping, LIMIT).await, Ok(worker.get_id().pid()));
}

#[tokio::test]
async fn an_address_follows_the_next_incarnation() {
    let address = Address::vacant();
    assert_eq!(address.ask(WorkerMsg::Ping, LIMIT).await, Err(AskError::Gone));
    assert!(address.cast(WorkerMsg::Complete).is_err());

    let (first, second) = (worker().await, worker().await);
    let held_by_others = address.clone();
    address.set(first);
    address.set(second.clone());
    assert_eq!(held_by_others.ask(WorkerMsg::Ping, LIMIT).await, Ok(second.get_id().pid()));
}

#[tokio::test]
async fn a_message_that_could_not_be_left_is_not_counted() {
    let (worker, kind) = (worker().await, MailboxKind::new("worker"));
    let mailbox = kind.open();
    mailbox.cast(&worker, WorkerMsg::Complete).unwrap();
    assert_eq!(kind.depth(), 1);
    worker.wait(Some(LIMIT)).await.unwrap();
    assert!(mailbox.cast(&worker, WorkerMsg::Complete).is_err());
    assert_eq!(kind.depth(), 1);
}
