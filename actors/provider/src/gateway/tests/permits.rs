use super::*;
use crate::fakes::{Reply, answer, connection};
use hermes_domain::breaker::BreakerState;
use hermes_ports::operational_events::{Audience, OperationalEvent};

#[tokio::test(start_paused = true)]
async fn permits_follow_the_rate_and_nobody_is_left_waiting() {
    let world = World::new([connection(1, 100)]).await;
    let started = tokio::time::Instant::now();
    let wishes: Vec<_> = (0..200).map(|_| world.waits(world.wish(&[1], 60_000))).collect();
    let mut permits = Vec::new();
    for wish in wishes {
        permits.push(granted(wish.await.unwrap()));
    }
    // 10 at once (a tenth of a second's worth), the other 190 one every 10 ms.
    let took = started.elapsed().as_millis();
    assert!((1_890..=2_000).contains(&took), "took {took} ms");
    assert_eq!(world.waiting(1).await, 0);
}

#[tokio::test(start_paused = true)]
async fn without_time_to_wait_a_taken_connection_is_busy() {
    let world = World::new([connection(1, 1)]).await;
    let _held = world.permit(1).await;
    let retry_at = busy_until(world.ask(&[1], 0).await);
    let ahead = retry_at.since(world.clock.now());
    assert!((900..=1_000).contains(&ahead), "the next permit is due in {ahead} ms");
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_sends_traffic_round_and_closes_again() {
    let world = World::new([connection(1, 1_000), connection(2, 1_000)]).await;
    let sick = |id, _: &_| if id == connection_id(1) { answer(503, &[], "") } else { answer(202, &[], "SM") };
    world.egress.script(sick);
    for number in 1..=10 {
        let permit = granted(world.ask(&[1, 2], 1_000).await);
        assert_eq!(permit.candidate, 0);
        world.dispatch(permit, number);
        world.inbox.events(number as usize).await;
    }
    let health = world.gateway.health(connection_id(1)).await.unwrap();
    assert_eq!((health.breaker, health.success_rate), (BreakerState::Open, Some(0.0)));
    let round = granted(world.ask(&[1, 2], 1_000).await);
    assert_eq!((round.candidate, round.connection), (1, connection_id(2)));

    world.egress.always(answer(202, &[], "SM"));
    tokio::time::sleep(Duration::from_secs(2)).await;
    for number in 11..=15 {
        let permit = granted(world.ask(&[1, 2], 1_000).await);
        assert_eq!(permit.candidate, 0, "probes go through the first again");
        world.dispatch(permit, number);
        world.inbox.events(number as usize).await;
    }
    assert_eq!(world.gateway.health(connection_id(1)).await.unwrap().breaker, BreakerState::Closed);
    world.until(|world| world.events.announced.lock().len() == 2).await;
    let announced = world.events.announced.lock();
    let kinds: Vec<_> = announced.iter().map(|one| one.event.kind().as_str()).collect();
    assert_eq!(kinds, ["provider.degraded", "provider.recovered"]);
    assert!(announced.iter().all(|one| one.audience == Audience::UsersOf(connection_id(1))));
    let OperationalEvent::ProviderRecovered { provider, degraded_since, .. } = &announced[1].event else {
        panic!("{announced:?}")
    };
    assert_eq!((provider.as_str(), *degraded_since), ("c1", announced[0].at));
}

#[tokio::test(start_paused = true)]
async fn a_second_outage_within_a_minute_is_told_later_if_it_lasts() {
    let world = World::new([connection(1, 1_000)]).await;
    let kinds = || {
        let announced = world.events.announced.lock();
        announced.iter().map(|one| one.event.kind().as_str()).collect::<Vec<_>>()
    };
    for (status, calls) in [(503, 10), (202, 5), (503, 10)] {
        world.egress.always(answer(status, &[], "SM"));
        tokio::time::sleep(Duration::from_secs(2)).await;
        for _ in 0..calls {
            world.outcome().await;
        }
    }
    tokio::time::sleep(Duration::from_secs(30)).await;
    assert_eq!(kinds(), ["provider.degraded", "provider.recovered"]);
    // Nobody calls the provider meanwhile.
    tokio::time::sleep(Duration::from_secs(40)).await;
    assert_eq!(kinds(), ["provider.degraded", "provider.recovered", "provider.degraded"]);
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_told_even_if_the_store_is_away_for_a_while() {
    let world = World::new([connection(1, 1_000)]).await;
    *world.events.failures.lock() = 4;
    world.egress.always(answer(503, &[], ""));
    for _ in 0..10 {
        world.outcome().await;
    }
    world.until(|world| world.events.announced.lock().len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn a_throttled_connection_rests_as_long_as_it_asked() {
    let world = World::new([connection(1, 1_000)]).await;
    world.egress.always(answer(429, &[("retry-after", "7")], ""));
    assert!(matches!(world.outcome().await, Outcome::Throttled { retry_after_ms: Some(7_000), .. }));
    let started = tokio::time::Instant::now();
    let wish = world.ask(&[1], 60_000).await;
    assert_eq!(started.elapsed().as_secs(), 7);
    drop(granted(wish));
    let health = world.gateway.health(connection_id(1)).await.unwrap();
    assert_eq!(health.breaker, BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn lanes_and_tenants_share_what_little_there_is() {
    let options = Options { slots_max: 1, ..Options::default() };
    let world = World::with([connection(1, 10_000)], options).await;
    let first = world.permit(1).await;
    let order = Arc::new(parking_lot::Mutex::new(Vec::new()));
    let ask = |lane, tenant, name: &'static str| {
        let (gateway, order) = (world.gateway.clone(), Arc::clone(&order));
        let tenant = TenantId::from_u128(tenant);
        let request = PermitRequest { lane, tenant, ..world.wish(&[1], 60_000) };
        tokio::spawn(async move {
            let permit = granted(gateway.acquire(request).await);
            order.lock().push(name);
            drop(permit);
        })
    };
    let mut wishes: Vec<_> = (0..5).map(|_| ask(Lane::Bulk, 1, "large")).collect();
    world.until_waiting(1, 5).await;
    wishes.extend((0..2).map(|_| ask(Lane::Bulk, 2, "small")));
    world.until_waiting(1, 7).await;
    wishes.push(ask(Lane::Otp, 3, "otp"));
    world.until_waiting(1, 8).await;
    drop(first);
    for wish in wishes {
        wish.await.unwrap();
    }
    assert_eq!(*order.lock(), ["otp", "large", "small", "large", "small", "large", "large", "large"]);
}

#[tokio::test(start_paused = true)]
async fn waiting_lists_are_bounded() {
    let options = Options { slots_max: 1, waiting_max: 4, waiting_per_tenant_max: 3, ..Options::default() };
    let world = World::with([connection(1, 10_000)], options).await;
    let _first = world.permit(1).await;
    let mut waiting: Vec<_> = (0..3).map(|_| world.waits(world.wish(&[1], 60_000))).collect();
    world.until_waiting(1, 3).await;
    busy_until(world.ask(&[1], 60_000).await);
    let other = PermitRequest { tenant: TenantId::from_u128(2), ..world.wish(&[1], 60_000) };
    waiting.push(world.waits(other.clone()));
    world.until_waiting(1, 4).await;
    let started = tokio::time::Instant::now();
    busy_until(world.gateway.acquire(PermitRequest { tenant: TenantId::from_u128(3), ..other }).await);
    assert_eq!(started.elapsed().as_secs(), 0, "a full list is known at once");
}

#[tokio::test(start_paused = true)]
async fn a_wish_whose_time_is_up_and_one_that_was_dropped_free_their_places() {
    let options = Options { slots_max: 1, ..Options::default() };
    let world = World::with([connection(1, 10_000)], options).await;
    let first = world.permit(1).await;
    let dropped = world.waits(world.wish(&[1], 60_000));
    let expiring = world.waits(world.wish(&[1], 500));
    let patient = world.waits(world.wish(&[1], 60_000));
    world.until_waiting(1, 3).await;
    dropped.abort();
    busy_until(expiring.await.unwrap());
    world.until_waiting(1, 1).await;
    drop(first);
    assert_eq!(granted(patient.await.unwrap()).connection, connection_id(1));
    let health = world.gateway.health(connection_id(1)).await.unwrap();
    assert_eq!((health.waiting, health.in_flight), (0, 0), "the permit went back too");
}

#[tokio::test(start_paused = true)]
async fn a_wish_takes_whichever_candidate_is_free_first_and_stands_nowhere_then() {
    let options = Options { slots_max: 1, ..Options::default() };
    let world = World::with([connection(1, 1_000), connection(2, 1_000)], options).await;
    let (first, second) = (world.permit(1).await, world.permit(2).await);
    let wish = world.waits(world.wish(&[1, 2], 60_000));
    world.until_waiting(1, 1).await;
    world.until_waiting(2, 1).await;
    drop(second);
    let permit = granted(wish.await.unwrap());
    assert_eq!((permit.candidate, permit.connection), (1, connection_id(2)));
    assert_eq!((world.waiting(1).await, world.waiting(2).await), (0, 0));
    drop(first);
    assert_eq!(world.permit(1).await.candidate, 0, "a dead entry blocks nobody");
}

#[tokio::test(start_paused = true)]
async fn a_held_connection_grants_nothing_until_it_is_released() {
    let held = Connection { held: true, ..connection(1, 1_000) };
    let world = World::new([held.clone()]).await;
    assert_eq!(busy_until(world.ask(&[1], 0).await), world.after(5_000));
    let wish = world.waits(world.wish(&[1], 600_000));
    world.until_waiting(1, 1).await;
    tokio::time::sleep(Duration::from_secs(100)).await;
    assert!(!wish.is_finished());
    world.source.put(Connection { held: false, ..held });
    assert_eq!(granted(wish.await.unwrap()).connection, connection_id(1));
}

#[tokio::test(start_paused = true)]
async fn without_any_candidate_there_is_no_route() {
    let world = World::new([connection(1, 1_000)]).await;
    assert!(matches!(world.ask(&[8, 9], 1_000).await, PermitAnswer::NoRoute));
    assert_eq!(granted(world.ask(&[8, 1], 0).await).candidate, 1, "indexes are those of the request");
    world.host.unloaded.store(true, std::sync::atomic::Ordering::SeqCst);
    assert!(matches!(world.ask(&[1], 1_000).await, PermitAnswer::NoRoute));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_removed_connection_is_told() {
    let options = Options { slots_max: 1, ..Options::default() };
    let world = World::with([connection(1, 1_000)], options).await;
    let _first = world.permit(1).await;
    let wish = world.waits(world.wish(&[1], 600_000));
    world.until_waiting(1, 1).await;
    world.source.remove(connection_id(1));
    assert!(matches!(wish.await.unwrap(), PermitAnswer::NoRoute));
    assert!(world.gateway.health(connection_id(1)).await.is_none());
}

#[tokio::test(start_paused = true)]
async fn slots_bound_the_calls_in_flight() {
    let options = Options { slots_max: 2, ..Options::default() };
    let world = World::with([connection(1, 10_000)], options).await;
    world.egress.always(Reply::Hangs);
    for number in 1..=2 {
        let permit = world.permit(1).await;
        world.dispatch(permit, number);
    }
    busy_until(world.ask(&[1], 0).await);
    let wish = world.ask(&[1], 60_000).await;
    assert_eq!(granted(wish).candidate, 0, "the end of a call frees its slot");
    assert_eq!(world.inbox.events(2).await.len(), 2);
}
