//! The gateway with its actors, against scripted ports.

mod calls;
mod permits;
mod recovery;
mod webhooks;

use std::{sync::Arc, time::Duration};

use hermes_domain::{
    AttemptRef, MessageId, TenantId, UnixMillis,
    address::{Destination, Email},
    cascade::Event,
    connection::Connection,
    content::{ChannelContent, Sms},
    message::Lane,
    outcome::Outcome,
};
use hermes_ports::{
    Clock, ProviderGateway,
    adapter::SendCall,
    provider_gateway::{Dispatch, Permit, PermitAnswer, PermitRequest},
};
use hermes_supervision::{Backoff, RestartBudget, StaticSupervisor, static_supervisor::Supervised};

use super::{Gateway, Ports};
use crate::{
    Options,
    fakes::{
        FakeEgress, FakeEvents, FakeHost, FakeInbox, FakeReceipts, FakeSource, TokioClock, connection_id,
    },
};

struct World {
    gateway: Gateway,
    host: Arc<FakeHost>,
    egress: Arc<FakeEgress>,
    inbox: Arc<FakeInbox>,
    receipts: Arc<FakeReceipts>,
    source: Arc<FakeSource>,
    events: Arc<FakeEvents>,
    clock: Arc<TokioClock>,
    _root: Supervised,
}

impl World {
    async fn new(connections: impl IntoIterator<Item = Connection>) -> Self {
        Self::with(connections, Options::default()).await
    }

    async fn with(connections: impl IntoIterator<Item = Connection>, options: Options) -> Self {
        let (host, egress) = (Arc::new(FakeHost::default()), Arc::new(FakeEgress::new()));
        let (receipts, source) = (Arc::new(FakeReceipts::default()), FakeSource::new(connections));
        let (inbox, clock) = (Arc::new(FakeInbox::default()), TokioClock::new());
        let events = Arc::new(FakeEvents::default());
        let ports = Ports {
            host: host.clone(),
            egress: egress.clone(),
            receipts: receipts.clone(),
            events: events.clone(),
            connections: source.clone(),
            clock: clock.clone(),
        };
        let gateway = Gateway::new(ports, options);
        gateway.bind(inbox.clone());
        let backoff = Backoff::try_new(Duration::from_millis(1), Duration::from_secs(1)).unwrap();
        let budget = RestartBudget::new(5, Duration::from_secs(60), backoff);
        let root = StaticSupervisor::start("root", budget, vec![gateway.supervisor()]).await.unwrap();
        let world = Self { gateway, host, egress, inbox, receipts, source, events, clock, _root: root };
        world.until(|world| world.gateway.address().get().is_some()).await;
        world
    }

    /// Lets other tasks run until `condition` holds; on a paused clock this takes no time.
    async fn until(&self, condition: impl Fn(&Self) -> bool) {
        let waiting = async {
            while !condition(self) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(600), waiting).await.expect("the condition comes true");
    }

    fn after(&self, ms: u64) -> UnixMillis {
        self.clock.now().plus_ms(ms)
    }

    fn wish(&self, candidates: &[u128], wait_ms: u64) -> PermitRequest {
        PermitRequest {
            candidates: candidates.iter().copied().map(connection_id).collect(),
            tenant: TenantId::from_u128(1),
            lane: Lane::Transactional,
            until: self.after(wait_ms),
        }
    }

    async fn ask(&self, candidates: &[u128], wait_ms: u64) -> PermitAnswer {
        self.gateway.acquire(self.wish(candidates, wait_ms)).await
    }

    async fn permit(&self, candidate: u128) -> Permit {
        granted(self.ask(&[candidate], 0).await)
    }

    /// Asks in a task of its own.
    fn waits(&self, request: PermitRequest) -> tokio::task::JoinHandle<PermitAnswer> {
        let gateway = self.gateway.clone();
        tokio::spawn(async move { gateway.acquire(request).await })
    }

    async fn waiting(&self, number: u128) -> u32 {
        self.gateway.health(connection_id(number)).await.unwrap().waiting
    }

    /// Waits until `count` wishes stand in the list of connection `number`.
    async fn until_waiting(&self, number: u128, count: u32) {
        let shared = &self.gateway.shared;
        self.until(|_| shared.line(connection_id(number)).unwrap().waiting() == count as usize).await;
    }

    fn dispatch(&self, permit: Permit, number: u16) {
        self.dispatch_within(permit, number, 60_000);
    }

    fn dispatch_within(&self, permit: Permit, number: u16, ms: u64) {
        let dispatch =
            Dispatch { call: call(number), not_after: self.after(2_000), deadline: self.after(ms) };
        self.gateway.dispatch(permit, dispatch);
    }

    /// Submits once through connection 1 and returns what its message was told.
    async fn outcome(&self) -> Outcome {
        let before = self.inbox.events.lock().len();
        let permit = self.permit(1).await;
        self.dispatch(permit, before as u16 + 1);
        outcome_of(&self.inbox.events(before + 1).await[before].1)
    }
}

fn call(number: u16) -> SendCall {
    SendCall {
        reference: AttemptRef { message: MessageId::from_u128(7), attempt: number },
        to: Destination::Email(Email::parse("a@example.test").unwrap()), // Phones load a large table.
        sender: None,
        content: ChannelContent::Sms(Sms { text: Some("hi".to_owned()), media_urls: Vec::new() }),
        callback_url: "https://hermes.test/receipts".to_owned(),
        valid_for_s: 60,
        expires_at: UnixMillis(u64::MAX),
        tags: Vec::new(),
        ack_url: None,
        alternate: false,
    }
}

fn granted(answer: PermitAnswer) -> Permit {
    match answer {
        PermitAnswer::Granted(permit) => permit,
        other => panic!("expected a permit, got {other:?}"),
    }
}

fn busy_until(answer: PermitAnswer) -> UnixMillis {
    match answer {
        PermitAnswer::Busy { retry_at } => retry_at,
        other => panic!("expected to be sent away, got {other:?}"),
    }
}

fn outcome_of(event: &Event) -> Outcome {
    match event {
        Event::Outcome { outcome, .. } => outcome.clone(),
        other => panic!("expected an outcome, got {other:?}"),
    }
}
