//! Endpoints that fail for days.

use hermes_ports::Clock as _;

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

/// Waits for `days`, with an event for endpoint 1 every few hours.
async fn busy_days(world: &World, first_event: u128, days: u32) {
    for number in 0..days * 6 {
        world.owe(1, first_event + u128::from(number)..first_event + u128::from(number) + 1);
        tokio::time::sleep(4 * HOUR).await;
    }
}

fn first_endpoint_answers(world: &World, status: u16) {
    world.egress.script(move |post| answer(if post.url.ends_with("/1") { status } else { 204 }, &[]));
}

#[tokio::test(start_paused = true)]
async fn five_days_without_a_success_disable_an_endpoint_and_the_others_are_told_once() {
    let world = World::new(3).await;
    world.endpoints.change(endpoint(3), |endpoint| endpoint.event_types = vec!["message.failed".to_owned()]);
    first_endpoint_answers(&world, 500);
    let began = world.clock.now();
    busy_days(&world, 1, 5).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(world.endpoints.disabled(endpoint(1)), None, "it is not five days yet");
    busy_days(&world, 1_000, 1).await;
    assert_eq!(world.endpoints.disabled(endpoint(1)), Some(DisableReason::Failing));
    let told = world.told(2, "webhook.disabled");
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        (&told[0]["webhook_id"], &told[0]["reason"]),
        (&endpoint(1).to_string().into(), &"failing".into())
    );
    let since = told[0]["failing_since"].as_str().unwrap();
    assert_eq!(since[..16], began.rfc3339()[..16], "since its first failure");
    assert_eq!(world.posts_to(3), 0, "that one wants other events");
    let so_far = world.posts_to(1);
    tokio::time::sleep(2 * DAY).await;
    assert_eq!(world.posts_to(1), so_far, "nothing goes to a disabled endpoint");
}

#[tokio::test(start_paused = true)]
async fn one_success_within_five_days_starts_the_count_anew() {
    let world = World::new(1).await;
    first_endpoint_answers(&world, 500);
    busy_days(&world, 1, 4).await;
    first_endpoint_answers(&world, 204);
    world.owe(1, 500..501);
    world.until(|world| world.outbox.row(endpoint(1), event(500)).status == DeliveryStatus::Delivered).await;
    first_endpoint_answers(&world, 500);
    busy_days(&world, 1_000, 4).await;
    assert_eq!(world.endpoints.disabled(endpoint(1)), None);
}

#[tokio::test(start_paused = true)]
async fn how_long_an_endpoint_has_been_failing_survives_a_restart() {
    let mut world = World::new(2).await;
    first_endpoint_answers(&world, 503);
    for day in 0..6 {
        busy_days(&world, 1_000 * day, 1).await;
        assert_eq!(world.endpoints.disabled(endpoint(1)), None, "day {day}");
        if day == 4 {
            break;
        }
        world = world.restarted().await;
    }
    world.owe(1, 90_000..90_001);
    world.until(|world| world.endpoints.disabled(endpoint(1)) == Some(DisableReason::Failing)).await;
    world.until(|world| world.told(2, "webhook.disabled").len() == 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_enabled_again_starts_afresh_with_what_waits() {
    let world = World::new(1).await;
    first_endpoint_answers(&world, 500);
    busy_days(&world, 1, 6).await;
    assert_eq!(world.endpoints.disabled(endpoint(1)), Some(DisableReason::Failing));
    let waiting = world.outbox.count(DeliveryStatus::Pending);
    assert!(waiting > 0);

    // As the API does it.
    assert_eq!(world.outbox.restart(endpoint(1)).await.unwrap(), waiting as u64);
    world.endpoints.change(endpoint(1), Endpoint::enable);
    let before = world.posts_to(1);
    tokio::time::sleep(DAY).await;
    assert!(world.posts_to(1) >= before + waiting, "what waited was tried");
    assert_eq!(world.endpoints.disabled(endpoint(1)), None, "its earlier failures do not count");
    first_endpoint_answers(&world, 204);
    world.outbox.restart(endpoint(1)).await.unwrap();
    world.until(|world| world.outbox.count(DeliveryStatus::Delivered) >= waiting).await;
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_has_moved_starts_afresh() {
    let world = World::new(1).await;
    world.egress.always(answer(500, &[]));
    busy_days(&world, 1, 4).await;
    world.outbox.restart(endpoint(1)).await.unwrap();
    world.endpoints.change(endpoint(1), |endpoint| endpoint.url = "https://tenant.test/elsewhere".to_owned());
    busy_days(&world, 1_000, 4).await;
    assert_eq!(world.endpoints.disabled(endpoint(1)), None);
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_slower_than_the_limit_has_failed() {
    let world = World::new(1).await;
    *world.egress.takes.lock() = Duration::from_millis(15_001);
    world.owe(1, 1..2);
    world.until(|world| world.outbox.row(endpoint(1), event(1)).attempts == 1).await;
    let row = world.outbox.row(endpoint(1), event(1));
    assert_eq!((row.status, row.last_error.as_deref()), (DeliveryStatus::Pending, Some("no answer in time")));
    *world.egress.takes.lock() = Duration::from_millis(14_999);
    world.until_delivered(1).await;
    assert_eq!(world.egress.count(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_announcement_reaches_whoever_wants_it_and_once_under_its_id() {
    use hermes_domain::{EventId, TenantId, address::Channel, message::Mode};
    use hermes_ports::operational_events::{
        Announcement, Audience, OperationalEvent, OperationalEvents as _,
    };
    let world = World::new(3).await;
    world.endpoints.change(endpoint(2), |endpoint| endpoint.event_types = vec!["message.failed".to_owned()]);
    world.endpoints.change(endpoint(3), |endpoint| endpoint.tenant = TenantId::from_u128(2));
    let announcement = Announcement {
        id: EventId::new(world.clock.now(), 7),
        at: world.clock.now(),
        event: OperationalEvent::ProviderDegraded { provider: "main".to_owned(), channel: Channel::Sms },
        audience: Audience::Tenant(TenantId::from_u128(1), Mode::Live),
    };
    assert_eq!(world.webhooks.announce(announcement.clone()).await.unwrap(), 1);
    world.until_delivered(1).await;
    world.webhooks.announce(announcement).await.unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.egress.count(), 1, "neither again, nor to others");
    assert_eq!(world.told(1, "provider.degraded")[0]["provider"], "main");
}
