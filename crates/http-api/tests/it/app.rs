//! A running API with two tenants, their keys and connections.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize},
    },
    time::Duration,
};

use hermes_directory::{ConnectionTerms, Directory, DirectoryKeys, Mint, Price};
use hermes_domain::{
    ConnectionId, MessageId, TenantId,
    access::Scopes,
    address::Channel,
    cascade::{AdapterVersion, Event},
    connection::Connection,
    message::Mode,
    money::Money,
    outcome::{Acceptance, Outcome},
    tenant::{ApiKey, KeyOwner, Tenant},
};
use hermes_http_api::{
    ApiLimits, ApiPorts, ApiSettings, ApiState, BatchRunner, MessageStore, ParkedReceipts, router,
};
use hermes_ports::{CascadeInbox as _, adapter::Secrets};
use hermes_testkit::{ManualClock, MemoryBackend, START, ScriptedGateway, connection, tenant};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::{
    audit::LimitedAudit,
    client::{self, Answer, Call},
    contract,
    fakes::{FakeActors, FakeAdapters, FakeDns, FakeEvents, FakeInbox, FakeIntake, FakeLists, FakeNotifier},
};

pub(crate) const PUBLIC_URL: &str = "https://hermes.example";
pub(crate) const SIMULATOR_URL: &str = "http://127.0.0.1:8090";
/// Operator's key.
pub(crate) const ADMIN: &str = "hak_operator-of-these-tests";
/// Keys of tenant 1.
pub(crate) const LIVE: &str = "hk_live_tenant-1";
pub(crate) const TEST: &str = "hk_test_tenant-1";
/// A key of tenant 2.
pub(crate) const OTHER: &str = "hk_live_tenant-2";

pub(crate) struct App {
    pub(crate) address: SocketAddr,
    pub(crate) backend: Arc<MemoryBackend>,
    pub(crate) intake: Arc<FakeIntake>,
    pub(crate) inbox: Arc<FakeInbox>,
    pub(crate) gateway: Arc<ScriptedGateway>,
    pub(crate) actors: Arc<FakeActors>,
    pub(crate) dns: Arc<FakeDns>,
    pub(crate) notifier: Arc<FakeNotifier>,
    pub(crate) events: Arc<FakeEvents>,
    pub(crate) audit: Arc<LimitedAudit>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) directory: Arc<Directory>,
    pub(crate) ready: Arc<AtomicBool>,
    /// Nobody offers them again but the test.
    pub(crate) parked_receipts: tokio::sync::Mutex<ParkedReceipts>,
    /// Nobody works on batches but the test.
    pub(crate) batches: BatchRunner,
}

/// What differs from test to test.
#[derive(Debug, Clone)]
pub(crate) struct AppOptions {
    pub(crate) limits: ApiLimits,
    pub(crate) max_concurrent_requests: usize,
    pub(crate) request_timeout: Duration,
}

impl Default for AppOptions {
    fn default() -> Self {
        let limits = ApiLimits { private_webhooks: false, ..ApiLimits::default() };
        Self { limits, max_concurrent_requests: 100, request_timeout: Duration::from_secs(30) }
    }
}

impl App {
    pub(crate) async fn start() -> Self {
        Self::start_with(AppOptions::default()).await
    }

    pub(crate) async fn start_with(options: AppOptions) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let backend = MemoryBackend::with_clock(clock.clone());
        let keys =
            DirectoryKeys { hash_key: [1; 32], credentials_key: [2; 32], previous_credentials_key: None };
        let directory = Directory::open(backend.clone(), keys).await.unwrap();
        seed(&directory).await;
        let intake = Arc::new(FakeIntake {
            backend: backend.clone(),
            overloaded: AtomicBool::new(false),
            away: AtomicBool::new(false),
            panics: AtomicBool::new(false),
            turned_away: AtomicUsize::new(0),
            arrived: tokio::sync::Notify::new(),
            gate: tokio::sync::RwLock::new(()),
        });
        let inbox = Arc::new(FakeInbox {
            backend: backend.clone(),
            clock: clock.clone(),
            busy: AtomicBool::new(false),
        });
        let (gateway, actors) = (ScriptedGateway::new(), Arc::new(FakeActors::default()));
        let dns = Arc::new(FakeDns::default());
        let notifier = Arc::new(FakeNotifier::default());
        let events = Arc::new(FakeEvents::default());
        let ready = Arc::new(AtomicBool::new(true));
        let audit = Arc::new(LimitedAudit { backend: backend.clone(), takes: AtomicUsize::new(usize::MAX) });
        let ports = ApiPorts {
            directory: directory.clone(),
            intake: intake.clone(),
            inbox: inbox.clone(),
            store: MessageStore::new(backend.clone()),
            log: backend.clone(),
            idempotency: backend.clone(),
            outbox: backend.clone(),
            notifier: notifier.clone(),
            usage: backend.clone(),
            events: events.clone(),
            suppressions: backend.clone(),
            erasure: backend.clone(),
            inbound: backend.clone(),
            batches: backend.clone(),
            receipts: backend.clone(),
            registry: backend.clone(),
            audit: audit.clone(),
            gateway: gateway.clone(),
            lists: Arc::new(FakeLists { directory: directory.clone() }),
            adapters: Arc::new(FakeAdapters::default()),
            dns: dns.clone(),
            actors: actors.clone(),
            clock: clock.clone(),
            mint: Arc::new(Mint::new(clock.clone(), vec![])),
        };
        let state = ApiState::new(ports, settings(&options, &ready)).with_limits(options.limits);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, parked_receipts, batches) = router(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let parked_receipts = tokio::sync::Mutex::new(parked_receipts);
        Self {
            address,
            parked_receipts,
            batches,
            backend,
            intake,
            inbox,
            gateway,
            actors,
            dns,
            notifier,
            events,
            audit,
            clock,
            directory,
            ready,
        }
    }

    /// Sends a request and holds the answer against the document.
    pub(crate) async fn call(&self, call: Call) -> Answer {
        let answer = client::send(self.address, &call).await;
        contract::check(&call, &answer);
        answer
    }

    pub(crate) async fn get(&self, key: &str, path: &str) -> Answer {
        self.call(Call::new("GET", path).key(key)).await
    }

    pub(crate) async fn post(&self, key: &str, path: &str, body: &Value) -> Answer {
        self.call(Call::new("POST", path).key(key).json(body)).await
    }

    /// Sends a message with the live key and returns its id.
    pub(crate) async fn message(&self, body: &Value) -> MessageId {
        let answer = self.post(LIVE, "/v1/messages", body).await;
        assert_eq!(answer.status, 202, "{}", answer.text);
        answer.json()["id"].as_str().unwrap().parse().unwrap()
    }

    /// A provider accepts the first attempt of a message, under this id.
    pub(crate) async fn accepted(&self, id: MessageId, provider_id: &str) {
        let acceptance =
            Acceptance { provider_message_id: Some(provider_id.to_owned()), ..Acceptance::default() };
        let events = [
            Event::Permit { candidate: 0, adapter_version: AdapterVersion(7) },
            Event::Outcome { attempt: 1, outcome: Outcome::Accepted(acceptance) },
        ];
        for event in events {
            self.inbox.deliver(id, event, None).await.unwrap();
        }
    }
}

fn settings(options: &AppOptions, ready: &Arc<AtomicBool>) -> ApiSettings {
    let ready = Arc::clone(ready);
    ApiSettings {
        public_url: format!("{PUBLIC_URL}/"),
        simulator_url: SIMULATOR_URL.to_owned(),
        max_concurrent_requests: options.max_concurrent_requests,
        request_timeout: options.request_timeout,
        attempts_per_step: 5,
        exploration_percent: 0,
        step_timeouts_s: [(Channel::Push, 61)].into(),
        default_expiry: Duration::from_secs(259_200),
        metrics: Arc::new(|| "hermes_up 1\n".to_owned()),
        ready: Arc::new(move || ready.load(std::sync::atomic::Ordering::SeqCst)),
    }
}

async fn seed(directory: &Directory) {
    for number in [1, 2] {
        let default = json!({ "steps": [{ "channel": "sms" }] });
        let seeded = Tenant {
            id: tenant(number),
            name: format!("tenant {number}"),
            suspended: false,
            default_cascade: (number == 1).then_some(default),
            policy: hermes_domain::policy::TenantPolicy::default(),
            created_at: START,
        };
        directory.create_tenant(seeded).await.unwrap();
    }
    let keys = [
        (LIVE, KeyOwner::Tenant(tenant(1), Mode::Live)),
        (TEST, KeyOwner::Tenant(tenant(1), Mode::Test)),
        (OTHER, KeyOwner::Tenant(tenant(2), Mode::Live)),
        (ADMIN, KeyOwner::Operator),
    ];
    for (number, (secret, owner)) in (1..).zip(keys) {
        directory.import_key(key(number, owner), secret).await.unwrap();
    }
    connect(directory, 1, None, Mode::Live, "twilio", Channel::Sms).await;
    connect(directory, 2, None, Mode::Live, "ses", Channel::Email).await;
    connect(directory, 3, None, Mode::Live, "fcm", Channel::Push).await;
    connect(directory, 4, Some(tenant(1)), Mode::Test, "twilio", Channel::Sms).await;
    connect(directory, 5, Some(tenant(2)), Mode::Live, "twilio", Channel::Sms).await;
}

pub(crate) fn key(number: u128, owner: KeyOwner) -> ApiKey {
    ApiKey {
        id: hermes_domain::KeyId::new(START, number),
        owner,
        name: "tests".into(),
        scopes: Scopes::All,
        role: None,
        hint: None,
        expires_at: None,
        created_at: START,
    }
}

/// Gives connection `number` a price for every country, in euros.
pub(crate) async fn priced(app: &App, number: u64, amount: &str) {
    let access = app.directory.access(connection(number)).unwrap();
    let price = Price { country: None, price: Money::parse(amount, "EUR").unwrap() };
    let terms = ConnectionTerms { cost: vec![price], countries: Vec::new() };
    app.directory.update_connection((*access.connection).clone(), terms, None, None).await.unwrap();
}

pub(crate) async fn connect(
    directory: &Directory,
    number: u64,
    owner: Option<TenantId>,
    mode: Mode,
    provider: &str,
    channel: Channel,
) {
    let id: ConnectionId = connection(number);
    // Those that tests add, and tenant 2's own, have names of their own; all others are called like their provider.
    let name = if number >= 5 { format!("{provider}-{number}") } else { provider.to_owned() };
    let seeded = Connection {
        id,
        tenant: owner,
        mode,
        provider: provider.into(),
        name,
        channel,
        config: BTreeMap::from([("number".to_owned(), json!(number))]),
        rate_per_s: None,
        held: false,
        created_at: START,
    };
    directory.create_connection(seeded, ConnectionTerms::default(), Secrets::default()).await.unwrap();
}

/// A message by SMS.
pub(crate) fn sms() -> Value {
    json!({
        "to": { "phone": "+4520123456" },
        "content": { "text": "Order 1042 has shipped" },
        "cascade": { "steps": [{ "channel": "sms" }] },
    })
}

/// `base` with `value` at `pointer`, whose parents must exist.
pub(crate) fn with(mut base: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = base.pointer_mut(parent).unwrap_or_else(|| panic!("{pointer}"));
    match parent {
        Value::Array(list) => list[field.parse::<usize>().unwrap()] = value,
        other => other[field] = value,
    }
    base
}
