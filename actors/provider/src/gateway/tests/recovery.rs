use super::*;
use crate::fakes::{Reply, connection};

fn name(number: u128) -> String {
    format!("provider/{}", connection_id(number))
}

async fn restarts(world: &World, number: u128) -> Option<u32> {
    let views = world.gateway.inspect().await.unwrap();
    views.iter().find(|view| view.id == name(number)).map(|view| view.restarts)
}

#[tokio::test(start_paused = true)]
async fn a_killed_actor_is_restarted_and_those_who_wait_get_their_answer() {
    let options = Options { slots_max: 1, ..Options::default() };
    let world = World::with([connection(1, 1_000)], options).await;
    let first = world.permit(1).await;
    let wishes: Vec<_> = (0..50).map(|_| world.waits(world.wish(&[1], 60_000))).collect();
    world.until_waiting(1, 50).await;
    assert!(world.gateway.kill(name(1)).await.unwrap());
    drop(first);
    for wish in wishes {
        drop(granted(wish.await.unwrap()));
    }
    assert_eq!(restarts(&world, 1).await, Some(1));
    assert_eq!(world.waiting(1).await, 0);
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_keeps_dying_rests_without_taking_others_along() {
    let world = World::new([connection(1, 1_000), connection(2, 1_000)]).await;
    for round in 0..6 {
        while restarts(&world, 1).await != Some(round) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.gateway.shared.line(connection_id(1)).unwrap().crash();
        while restarts(&world, 1).await == Some(round) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
    assert_eq!(restarts(&world, 1).await, None, "it rests");
    assert_eq!(restarts(&world, 2).await, Some(0));
    assert_eq!(world.permit(1).await.connection, connection_id(1), "free permits need no actor");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(restarts(&world, 1).await, Some(6));
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_operators_kill_never_rests() {
    let world = World::new([connection(1, 1_000)]).await;
    let started = tokio::time::Instant::now();
    for round in 0..20 {
        while restarts(&world, 1).await != Some(round) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(world.gateway.kill(name(1)).await.unwrap());
    }
    assert!(started.elapsed() < Duration::from_secs(30), "within the window of the budget, in paused time");
}

#[tokio::test(start_paused = true)]
async fn calls_outlive_the_supervisor_and_its_actors() {
    let world = World::new([connection(1, 1_000)]).await;
    world.egress.always(Reply::Hangs);
    let permit = world.permit(1).await;
    world.dispatch(permit, 1);
    let before = world.gateway.address().get().unwrap();
    before.kill();
    world
        .until(|world| {
            let now = world.gateway.address().get();
            now.is_some_and(|now| now.get_id() != before.get_id())
        })
        .await;
    assert!(world.gateway.in_flight(call(1).reference));
    assert!(matches!(outcome_of(&world.inbox.events(1).await[0].1), Outcome::Unknown(_)));
    assert_eq!(restarts(&world, 1).await, Some(0), "the new supervisor has started it again");
}

#[tokio::test(start_paused = true)]
async fn shutting_down_aborts_what_does_not_end_and_reports_it() {
    let world = World::new([connection(1, 1_000)]).await;
    world.egress.always(Reply::Hangs);
    let permit = world.permit(1).await;
    world.dispatch(permit, 1);
    world.until(|world| world.egress.sent() == 1).await;
    assert_eq!(world.gateway.shut_down(Duration::from_secs(1)).await, 0);
    assert!(matches!(outcome_of(&world.inbox.events(1).await[0].1), Outcome::Unknown(_)));
}

#[tokio::test(start_paused = true)]
async fn every_actor_shows_itself() {
    let options = Options { slots_max: 1, ..Options::default() };
    let world = World::with([connection(1, 50)], options).await;
    let _first = world.permit(1).await;
    let _wish = world.waits(world.wish(&[1], 60_000));
    world.until_waiting(1, 1).await;
    let views = world.gateway.inspect().await.unwrap();
    assert_eq!((views[0].id.as_str(), &views[0].children), ("providers", &vec![name(1)]));
    let own = &views[1];
    assert_eq!((own.kind.as_str(), own.parent.as_deref()), ("provider", Some("providers")));
    assert_eq!((&own.detail["rate_per_s"], &own.detail["waiting_list"]), (&50.into(), &1.into()));
    assert_eq!(own.detail["health"]["in_flight"], 1);
    assert!(!world.gateway.kill("provider/prv_nobody".to_owned()).await.unwrap());
}
