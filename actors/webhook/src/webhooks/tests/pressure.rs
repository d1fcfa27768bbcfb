//! More than fits, and actors that die under it.

use super::*;

#[tokio::test(start_paused = true)]
async fn requests_to_one_endpoint_are_bounded() {
    let options = Options { posts_max: 8, ..Options::default() };
    let world = World::with(1, options, FakeOutbox::default()).await;
    world.owe(1, 0..200);
    world.until_delivered(200).await;
    assert_eq!(world.egress.under_way.lock().1, 8);
}

#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_read_later_and_nothing_is_lost_or_sent_twice() {
    let options = Options { window_max: 100, load_max: 40, posts_max: 7, ..Options::default() };
    let world = World::with(1, options, FakeOutbox::default()).await;
    for batch in 0..200_u128 {
        world.owe(1, batch * 25..batch * 25 + 25);
        tokio::time::sleep(Duration::from_millis(7)).await;
    }
    world.until_delivered(5_000).await;
    world.assert_no_duplicates();
    assert!(world.outbox.readings.lock().len() > 10, "the outbox was read again and again");
    tokio::time::sleep(Duration::from_secs(120)).await;
    assert_eq!(world.egress.count(), 5_000);
}

#[tokio::test(start_paused = true)]
async fn one_burst_larger_than_memory_is_delivered_once() {
    let options = Options { window_max: 100, ..Options::default() };
    let world = World::with(1, options, FakeOutbox::default()).await;
    world.owe(1, 0..1_500);
    world.until_delivered(1_500).await;
    world.assert_no_duplicates();
}

#[tokio::test(start_paused = true)]
async fn killing_the_actor_again_and_again_loses_nothing_and_repeats_nothing() {
    let world = World::new(1).await;
    *world.egress.takes.lock() = Duration::from_millis(300);
    for round in 0..4_u128 {
        world.owe(1, round * 300..round * 300 + 300);
        tokio::time::sleep(Duration::from_millis(450)).await;
        world.webhooks.kill(name(1)).await.unwrap();
        world.owe(1, 5_000 + round * 10..5_000 + round * 10 + 10);
    }
    world.until_delivered(1_240).await;
    // Requests that were under way belong to tasks, which the kill does not touch.
    world.assert_no_duplicates();
}

#[tokio::test(start_paused = true)]
async fn a_dead_endpoint_does_not_slow_another() {
    let world = World::new(2).await;
    world.egress.script(|post| {
        let dead = post.url.ends_with("/1");
        if dead { Err(EgressError::Timeout { limit_ms: 15_000 }) } else { answer(200, &[]) }
    });
    *world.egress.takes.lock() = Duration::from_millis(10);
    world.owe(1, 0..20_000);
    world.owe(2, 50_000..50_100);
    let started = tokio::time::Instant::now();
    world.until_delivered(100).await;
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_store_that_is_away_for_a_while_costs_no_second_delivery() {
    let world = World::new(1).await;
    world.until(|world| world.webhooks.shared.seat(endpoint(1)).is_some()).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.owe(1, 0..50);
    *world.outbox.failures.lock() = 8;
    world.until_delivered(50).await;
    world.assert_no_duplicates();
}

#[tokio::test(start_paused = true)]
async fn a_late_announcement_of_what_was_read_is_no_second_delivery() {
    let world = World::new(1).await;
    let entries: Vec<_> = (0..10).map(|number| entry(1, number)).collect();
    world.outbox.commit(&entries);
    world.until_delivered(10).await; // The sweep found them.
    world.webhooks.notify(entries);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.egress.count(), 10);
}

#[tokio::test(start_paused = true)]
async fn shutting_down_waits_for_what_is_under_way() {
    let world = World::new(1).await;
    *world.egress.takes.lock() = Duration::from_secs(2);
    world.owe(1, 0..3);
    world.until(|world| world.egress.count() == 3).await;
    assert_eq!(world.webhooks.shut_down(Duration::from_secs(1)).await, 3);
    assert_eq!(world.webhooks.shut_down(Duration::from_secs(5)).await, 0);
    assert_eq!(world.outbox.count(DeliveryStatus::Delivered), 3);
}

#[tokio::test(start_paused = true)]
async fn news_do_not_overtake_what_waits_in_the_outbox() {
    let options = Options { window_max: 100, load_max: 10, posts_max: 1, ..Options::default() };
    let outbox = FakeOutbox::default();
    let old: Vec<_> = (0..300).map(|number| entry(1, number)).collect();
    outbox.commit(&old);
    let world = World::with(1, options, outbox).await;
    // Twice as much as the endpoint takes, for as long as twice the old ones need.
    for number in 1_000..2_200 {
        world.owe(1, number..number + 1);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let delivered = |number| world.outbox.row(endpoint(1), event(number)).status == DeliveryStatus::Delivered;
    assert_eq!((0..300).filter(|number| delivered(*number)).count(), 300);
}
