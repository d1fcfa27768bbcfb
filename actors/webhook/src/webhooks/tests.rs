//! Endpoints with their actors, against scripted ports.

use std::{collections::HashSet, sync::Arc, time::Duration};

use hermes_domain::{
    UnixMillis,
    tenant::{DisableReason, Endpoint},
};
use hermes_ports::{
    Outbox,
    egress::EgressError,
    outbox::{DeliveryStatus, Selection, WebhookNotifier},
};
use hermes_supervision::{
    ActorView, Backoff, RestartBudget, StaticSupervisor, static_supervisor::Supervised,
};

use super::{Ports, Webhooks};
use crate::{
    Options,
    fakes::{FakeEgress, FakeEndpoints, FakeOutbox, TokioClock, answer, endpoint, entry, event},
    signature::signatures,
};

mod disabling;
mod pressure;
mod rotation;

struct World {
    webhooks: Webhooks,
    outbox: Arc<FakeOutbox>,
    egress: Arc<FakeEgress>,
    endpoints: Arc<FakeEndpoints>,
    clock: Arc<TokioClock>,
    root: Supervised,
}

impl World {
    async fn new(endpoints: u128) -> Self {
        Self::with(endpoints, Options::default(), FakeOutbox::default()).await
    }

    async fn with(endpoints: u128, options: Options, outbox: FakeOutbox) -> Self {
        let (outbox, egress) = (Arc::new(outbox), Arc::new(FakeEgress::new()));
        Self::start(options, outbox, egress, FakeEndpoints::new(endpoints), TokioClock::new()).await
    }

    /// The same world after its process ended and another one began.
    async fn restarted(self) -> Self {
        let Self { webhooks, outbox, egress, endpoints, clock, root } = self;
        root.actor.stop_and_wait(None, None).await.unwrap();
        webhooks.shut_down(Duration::from_secs(60)).await;
        Self::start(Options::default(), outbox, egress, endpoints, clock).await
    }

    async fn start(
        options: Options,
        outbox: Arc<FakeOutbox>,
        egress: Arc<FakeEgress>,
        endpoints: Arc<FakeEndpoints>,
        clock: Arc<TokioClock>,
    ) -> Self {
        let ports = Ports {
            outbox: outbox.clone(),
            egress: egress.clone(),
            endpoints: endpoints.clone(),
            clock: clock.clone(),
        };
        let webhooks = Webhooks::new(ports, options);
        let backoff = Backoff::try_new(Duration::from_millis(1), Duration::from_secs(1)).unwrap();
        let budget = RestartBudget::new(5, Duration::from_secs(60), backoff);
        let root = StaticSupervisor::start("root", budget, vec![webhooks.supervisor()]).await.unwrap();
        Self { webhooks, outbox, egress, endpoints, clock, root }
    }

    /// Commits and announces events for an endpoint.
    fn owe(&self, of: u128, events: std::ops::Range<u128>) {
        let entries: Vec<_> = events.map(|number| entry(of, number)).collect();
        self.outbox.commit(&entries);
        self.webhooks.notify(entries);
    }

    /// Lets other tasks run until `condition` holds; on a paused clock this takes no time.
    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(900), waiting).await.expect("the condition comes true");
    }

    async fn until_delivered(&self, count: usize) {
        self.until(|world| world.outbox.count(DeliveryStatus::Delivered) == count).await;
    }

    fn posts_to(&self, of: u128) -> usize {
        let url = format!("https://tenant.test/{of}");
        self.egress.posts.lock().iter().filter(|post| post.url == url).count()
    }

    /// Data of the events of a type that an endpoint was sent.
    fn told(&self, of: u128, event_type: &str) -> Vec<serde_json::Value> {
        let url = format!("https://tenant.test/{of}");
        let posts = self.egress.posts.lock();
        let bodies = posts.iter().filter(|post| post.url == url);
        let bodies = bodies.map(|post| serde_json::from_slice::<serde_json::Value>(&post.body).unwrap());
        bodies.filter(|body| body["type"] == event_type).map(|body| body["data"].clone()).collect()
    }

    fn assert_no_duplicates(&self) {
        let events = self.egress.events();
        let distinct: HashSet<&String> = events.iter().collect();
        assert_eq!(events.len(), distinct.len(), "a notification was sent twice");
    }
}

fn name(number: u128) -> String {
    format!("endpoint/{}", endpoint(number))
}

#[tokio::test(start_paused = true)]
async fn a_notification_is_signed_sent_once_and_recorded() {
    let world = World::new(2).await;
    world.owe(2, 1..2);
    world.until_delivered(1).await;
    let post = world.egress.posts.lock()[0].clone();
    assert_eq!((post.url.as_str(), post.body.as_ref()), ("https://tenant.test/2", br#"{"n":1}"#.as_slice()));
    let id = event(1).to_string();
    assert_eq!(post.header("webhook-id"), id);
    let timestamp = post.header("webhook-timestamp").parse().unwrap();
    let secrets = ["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned()];
    let signed = signatures(&secrets, &id, timestamp, &post.body).unwrap();
    assert_eq!(post.header("webhook-signature"), signed);
    assert_eq!(post.header("content-type"), "application/json");
    let row = world.outbox.row(endpoint(2), event(1));
    assert_eq!((row.attempts, row.last_status, row.last_error), (1, Some(204), None));
    tokio::time::sleep(Duration::from_secs(300)).await;
    assert_eq!(world.egress.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_owed_before_the_start_is_delivered() {
    let outbox = FakeOutbox::default();
    let entries: Vec<_> = (0..3_000).map(|number| entry(1, number)).collect();
    outbox.commit(&entries);
    let world = World::with(1, Options::default(), outbox).await;
    world.until_delivered(3_000).await;
    world.assert_no_duplicates();
}

#[tokio::test(start_paused = true)]
async fn retries_follow_the_schedule_and_then_it_has_failed() {
    let world = World::new(1).await;
    world.egress.always(Err(EgressError::Connect("x".into())));
    world.owe(1, 1..2);
    tokio::time::sleep(Duration::from_secs(5 * 24 * 3_600)).await;
    let posts: Vec<_> = world.egress.posts.lock().iter().map(|post| post.at).collect();
    let gaps: Vec<u64> = posts.windows(2).map(|pair| (pair[1] - pair[0]).as_secs()).collect();
    let schedule = [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400];
    assert_eq!(gaps.len(), schedule.len());
    for (gap, delay) in gaps.into_iter().zip(schedule) {
        assert!((delay..=delay + delay / 5 + 1).contains(&gap), "{gap} s instead of {delay} s and jitter");
    }
    let row = world.outbox.row(endpoint(1), event(1));
    assert_eq!((row.status, row.attempts), (DeliveryStatus::Failed, 10));
    assert_eq!(row.last_error.as_deref(), Some("could not connect"));
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_gone_is_disabled_and_left_alone_until_it_is_wanted_again() {
    let world = World::new(2).await;
    world.egress.always(answer(410, &[]));
    world.owe(1, 1..2);
    world.until(|world| world.endpoints.disabled(endpoint(1)) == Some(DisableReason::Gone)).await;
    world.until(|world| world.outbox.count(DeliveryStatus::Failed) == 1).await;
    assert_eq!(world.outbox.row(endpoint(1), event(1)).last_status, Some(410));
    world.egress.always(answer(204, &[]));
    world.owe(1, 2..5);
    world.owe(2, 10..12);
    world.until_delivered(3).await;
    tokio::time::sleep(Duration::from_secs(600)).await;
    assert_eq!(world.posts_to(1), 1, "nothing goes to a disabled endpoint");
    assert_eq!(world.told(2, "webhook.disabled").len(), 1);
    world.endpoints.change(endpoint(1), Endpoint::enable);
    world.until_delivered(6).await;
    world.assert_no_duplicates();
}

#[tokio::test(start_paused = true)]
async fn a_busy_endpoint_rests_as_long_as_it_asked() {
    let world = World::new(1).await;
    world.egress.always(answer(429, &[("retry-after", "30")]));
    world.owe(1, 1..2);
    world.until(|world| world.egress.count() == 1).await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    world.egress.always(answer(200, &[]));
    world.owe(1, 2..4);
    world.until_delivered(3).await;
    let posts = world.egress.posts.lock().clone();
    let waited = (posts[1].at - posts[0].at).as_secs();
    assert!((30..=31).contains(&waited), "the others waited too: {waited} s");
}

#[tokio::test(start_paused = true)]
async fn redelivery_is_noticed_without_an_announcement() {
    let world = World::new(1).await;
    world.owe(1, 1..4);
    world.until_delivered(3).await;
    assert_eq!(
        world.outbox.redeliver(endpoint(1), Selection::Since(UnixMillis(0)), 9).await.unwrap().count,
        3
    );
    world.until_delivered(3).await;
    assert_eq!(world.egress.count(), 6);
}

#[tokio::test(start_paused = true)]
async fn a_removed_endpoint_gets_nothing_more() {
    let world = World::new(2).await;
    world.until(|world| world.webhooks.shared.seat(endpoint(1)).is_some()).await;
    world.endpoints.remove(endpoint(1));
    world.until(|world| world.webhooks.shared.seat(endpoint(1)).is_none()).await;
    world.owe(1, 1..3);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(world.egress.count(), 0);
    let views = world.webhooks.inspect().await.unwrap();
    assert_eq!(views[0].children, [name(2)]);
}

#[tokio::test(start_paused = true)]
async fn every_actor_shows_itself_and_can_be_killed() {
    let world = World::new(1).await;
    *world.egress.takes.lock() = Duration::from_secs(5);
    world.owe(1, 1..101);
    world.until(|world| world.egress.count() == 64).await;
    let views = world.webhooks.inspect().await.unwrap();
    assert_eq!((views[1].id.as_str(), views[1].state.as_str()), (name(1).as_str(), "delivering"));
    assert_eq!((&views[1].detail["posting"], &views[1].detail["waiting"]), (&64.into(), &36.into()));
    assert!(world.webhooks.kill(name(1)).await.unwrap());
    world.until_delivered(100).await;
    let views = world.webhooks.inspect().await.unwrap();
    assert_eq!((views[1].restarts, views[1].last_error.as_deref()), (1, Some("killed")));
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_operators_kill_never_rests() {
    let world = World::new(1).await;
    world.until(|world| world.webhooks.shared.seat(endpoint(1)).is_some()).await;
    let started = tokio::time::Instant::now();
    for round in 0..20 {
        let runs =
            |views: &[ActorView]| views.iter().any(|view| view.id == name(1) && view.restarts == round);
        while !runs(&world.webhooks.inspect().await.unwrap()) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(world.webhooks.kill(name(1)).await.unwrap());
    }
    assert!(started.elapsed() < Duration::from_secs(30), "within the window of the budget, in paused time");
}
