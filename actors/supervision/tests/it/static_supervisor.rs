//! How the static supervisor reacts to each kind of exit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use hermes_supervision::static_supervisor::{RestartPolicy, Supervised};
use hermes_supervision::{
    ActorView, Address, Backoff, ChildSpec, Exit, RestartBudget, StaticSupervisor, SupervisorMsg, ask,
};
use ractor::{Actor, ActorProcessingErr, ActorRef};

use crate::worker::{Worker, WorkerMsg};

const LIMIT: Duration = Duration::from_secs(30);

fn budget(restarts_max: usize) -> RestartBudget {
    let backoff = Backoff::try_new(Duration::from_millis(100), Duration::from_secs(1)).unwrap();
    RestartBudget::new(restarts_max, Duration::from_secs(60), backoff)
}

fn spec(name: &'static str, policy: RestartPolicy, address: &Address<WorkerMsg>) -> ChildSpec {
    ChildSpec::new(name, policy, address.clone(), || (Worker, ()))
}

async fn start(restarts_max: usize) -> (Supervised, Address<WorkerMsg>, Address<WorkerMsg>) {
    let (first, second) = (Address::vacant(), Address::vacant());
    let children =
        vec![spec("first", RestartPolicy::Always, &first), spec("second", RestartPolicy::OnFault, &second)];
    let root = StaticSupervisor::start("root", budget(restarts_max), children).await.unwrap();
    views(&root).await; // Answered after post_start: both children run.
    (root, first, second)
}

async fn views(root: &Supervised) -> Vec<ActorView> {
    ask(&root.actor, SupervisorMsg::Inspect, LIMIT).await.unwrap()
}

/// Waits, in paused time, until the child named so is as described.
async fn eventually(root: &Supervised, name: &str, is: impl Fn(&ActorView) -> bool) -> ActorView {
    for _ in 0..1_000 {
        let view = views(root).await.into_iter().find(|view| view.id == name).unwrap();
        if is(&view) {
            return view;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{name} never came to be as expected");
}

async fn pid(address: &Address<WorkerMsg>) -> u64 {
    address.ask(WorkerMsg::Ping, LIMIT).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_panicking_child_is_restarted_alone() {
    let (root, first, second) = start(5).await;
    let before = (pid(&first).await, pid(&second).await);
    first.cast(WorkerMsg::Panic).unwrap();
    let view = eventually(&root, "first", |view| view.restarts == 1).await;
    assert_eq!(view.last_error.as_deref(), Some("failed: on purpose"));
    assert_ne!(pid(&first).await, before.0);
    assert_eq!(pid(&second).await, before.1);
}

#[tokio::test(start_paused = true)]
async fn a_child_that_returns_an_error_is_restarted() {
    let (root, _first, second) = start(5).await;
    second.cast(WorkerMsg::Fail).unwrap();
    let view = eventually(&root, "second", |view| view.restarts == 1).await;
    assert_eq!(view.last_error.as_deref(), Some("failed: broken on purpose"));
    pid(&second).await;
}

#[tokio::test(start_paused = true)]
async fn a_killed_child_is_restarted_under_either_policy() {
    let (root, first, second) = start(5).await;
    for (name, address) in [("first", first), ("second", second)] {
        let kill = |reply| SupervisorMsg::Kill(name.to_owned(), reply);
        assert_eq!(ask(&root.actor, kill, LIMIT).await, Ok(true));
        let view = eventually(&root, name, |view| view.restarts == 1).await;
        assert_eq!(view.last_error.as_deref(), Some("killed"));
        pid(&address).await;
    }
    let kill = |reply| SupervisorMsg::Kill("nobody".to_owned(), reply);
    assert_eq!(ask(&root.actor, kill, LIMIT).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn a_child_that_completes_does_not_stop_its_supervisor() {
    let (root, first, second) = start(5).await;
    let before = pid(&first).await;
    second.cast(WorkerMsg::Complete).unwrap();
    let view = eventually(&root, "second", |view| view.state == "ended").await;
    assert_eq!((view.restarts, view.last_error), (0, None));
    assert_eq!(pid(&first).await, before);
}

#[tokio::test(start_paused = true)]
async fn a_permanent_child_that_completes_is_started_again() {
    let (root, first, _second) = start(5).await;
    first.cast(WorkerMsg::Complete).unwrap();
    eventually(&root, "first", |view| view.restarts == 1 && view.state == "running").await;
}

#[tokio::test(start_paused = true)]
async fn a_spent_budget_ends_the_supervisor_and_its_children() {
    let (root, first, second) = start(2).await;
    for restarts in 1..=2 {
        first.cast(WorkerMsg::Panic).unwrap();
        eventually(&root, "first", |view| view.restarts == restarts).await;
    }
    first.cast(WorkerMsg::Panic).unwrap();

    let sibling = second.get().unwrap();
    let gave_up = root.ended().await.unwrap_err();
    assert_eq!(gave_up.exit, Exit::Failed("on purpose".to_owned()));
    assert_eq!(
        gave_up.to_string(),
        "root gave up: more than 2 restarts within 60 s, the last because first failed: on purpose"
    );
    sibling.wait(Some(LIMIT)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn kills_that_were_asked_for_spend_nothing_and_a_crash_after_them_counts() {
    let (root, first, _second) = start(1).await;
    for restarts in 1..=20 {
        let kill = |reply| SupervisorMsg::Kill("first".to_owned(), reply);
        assert_eq!(ask(&root.actor, kill, LIMIT).await, Ok(true));
        eventually(&root, "first", |view| view.restarts == restarts && view.state == "running").await;
    }
    first.cast(WorkerMsg::Panic).unwrap();
    eventually(&root, "first", |view| view.restarts == 21).await;
    first.cast(WorkerMsg::Panic).unwrap();
    assert_eq!(root.ended().await.unwrap_err().exit, Exit::Failed("on purpose".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn restarts_spread_over_time_do_not_spend_the_budget() {
    let (root, first, _second) = start(2).await;
    for restarts in 1..=6 {
        first.cast(WorkerMsg::Panic).unwrap();
        eventually(&root, "first", |view| view.restarts == restarts).await;
        tokio::time::advance(Duration::from_secs(40)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn shutdown_handles_what_is_queued_and_restarts_nothing() {
    let (root, first, _second) = start(5).await;
    let queued = tokio::spawn(async move { pid(&first).await });
    tokio::task::yield_now().await;
    let shutdown = |done| SupervisorMsg::Shutdown { limit_each: LIMIT, done };
    assert_eq!(ask(&root.actor, shutdown, LIMIT * 3).await, Ok(vec![]));
    assert!(queued.await.is_ok());
    assert_eq!(root.ended().await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn shutdown_kills_a_child_that_does_not_end_and_names_it() {
    let (root, first, _second) = start(5).await;
    first.cast(WorkerMsg::Hang).unwrap();
    let shutdown = |done| SupervisorMsg::Shutdown { limit_each: LIMIT, done };
    assert_eq!(ask(&root.actor, shutdown, LIMIT * 3).await, Ok(vec!["first".to_owned()]));
    assert_eq!(root.ended().await, Ok(()));
    first.get().unwrap().wait(Some(LIMIT)).await.unwrap();
}

/// Fails to start until it has been tried `failures` times.
struct SlowStarter {
    failures: u32,
    tries: Arc<AtomicU32>,
}

impl Actor for SlowStarter {
    type Msg = WorkerMsg;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _me: ActorRef<WorkerMsg>, _args: ()) -> Result<(), ActorProcessingErr> {
        if self.tries.fetch_add(1, Ordering::Relaxed) < self.failures {
            return Err("not yet".into());
        }
        Ok(())
    }
}

async fn start_slowly(failures: u32) -> Supervised {
    let tries = Arc::new(AtomicU32::new(0));
    let make = move || (SlowStarter { failures, tries: Arc::clone(&tries) }, ());
    let child = ChildSpec::new("slow", RestartPolicy::Always, Address::vacant(), make);
    StaticSupervisor::start("root", budget(3), vec![child]).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_child_that_cannot_start_is_tried_again_within_the_budget() {
    let root = start_slowly(3).await;
    eventually(&root, "slow", |view| view.state == "running").await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_never_starts_spends_the_budget() {
    let gave_up = start_slowly(u32::MAX).await.ended().await.unwrap_err();
    assert!(gave_up.to_string().contains("not yet"), "{gave_up}");
}
