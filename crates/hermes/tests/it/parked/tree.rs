//! The real tree of actors behind the real API, over a store that fails on demand and a provider that takes everything.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use hermes_actor_cascade::{CascadeOptions, LaneLimits};
use hermes_actor_provider::Options as GatewayOptions;
use hermes_actor_system::{HermesSystem, SystemOptions, SystemPorts, WebhookOptions};
use hermes_directory::{ConnectionTerms, Directory, DirectoryKeys, Mint};
use hermes_domain::{
    ConnectionId, KeyId, MessageId, UnixMillis,
    access::Scopes,
    address::Channel,
    cascade::AdapterVersion,
    connection::Connection,
    message::Mode,
    outcome::{Acceptance, Outcome},
    policy::TenantPolicy,
    suppression::Suppression,
    tenant::{ApiKey, KeyOwner, Tenant},
};
use hermes_http_api::{ApiPorts, ApiSettings, ApiState, MessageStore, router};
use hermes_ports::{
    ProviderLists, StoreError, Upkeep,
    adapter::{
        AdapterFault, AdapterHost, AdapterInfo, AdapterRejected, AdapterStep, ConnectionAccess, Descriptor,
        Pending, ReceiveResult, Secrets, SendCall,
    },
    clock::SystemClock,
    dns::{DnsLookup, DnsUnavailable},
    http::{HttpResponse, Webhook},
    provider_lists::{ChangeEnd, FollowedList, ListChange, Reading},
};
use hermes_testkit::{FaultyStore, MemoryBackend, START, ScriptedEgress, connection, tenant};
use serde_json::{Value, json};
use tokio::net::TcpListener;

const ADMIN: &str = "hak_operator-of-these-tests";
const LIVE: &str = "hk_live_tenant-1";
const PASSIVATE_AFTER: Duration = Duration::from_secs(10);

/// What a test looks at.
pub(super) struct Running {
    pub(super) system: HermesSystem,
    pub(super) store: Arc<FaultyStore>,
    address: SocketAddr,
    client: reqwest::Client,
}

impl Running {
    pub(super) async fn start() -> Self {
        let clock = SystemClock::at_boot();
        let backend = MemoryBackend::with_clock(Arc::new(clock));
        let store = FaultyStore::around(backend.clone());
        let keys =
            DirectoryKeys { hash_key: [1; 32], credentials_key: [2; 32], previous_credentials_key: None };
        let directory = Directory::open(backend.clone(), keys).await.unwrap();
        seed(&directory).await;
        let ports = SystemPorts {
            store: store.clone(),
            outbox: backend.clone(),
            receipts: backend.clone(),
            suppressions: backend.clone(),
            lists: Arc::new(NoLists),
            upkeep: Arc::new(NoUpkeep),
            directory: Arc::clone(&directory),
            egress: Arc::new(ScriptedEgress::new()),
            clock,
        };
        let system = HermesSystem::start(ports, Arc::new(TakesAll), options()).await.unwrap();
        let state = ApiState::new(api_ports(&system, &store, &backend, &directory, clock), settings());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (router, ..) = router(state);
        tokio::spawn(async move { axum::serve(listener, router).await });
        let _ = rustls::crypto::ring::default_provider().install_default(); // An earlier choice stands.
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { system, store, address, client }
    }

    pub(super) async fn admin(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        self.call(method, &format!("/admin/v1/{path}"), ADMIN, body).await
    }

    async fn call(&self, method: &str, path: &str, key: &str, body: Option<&Value>) -> (u16, Value) {
        let request = self.client.request(method.parse().unwrap(), format!("http://{}{path}", self.address));
        let request = match body {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        };
        let answer = request.bearer_auth(key).send().await.unwrap();
        let status = answer.status().as_u16();
        (status, serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap_or(Value::Null))
    }

    /// Sends a message and waits until the provider has it.
    pub(super) async fn sent(&self, more: &Value) -> MessageId {
        let mut body = json!({
            "to": { "phone": "+4520123456" }, "content": { "text": "Order 1042 has shipped" },
            "cascade": { "steps": [{ "channel": "sms", "timeout_s": 600 }] },
        });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let (status, reply) = self.call("POST", "/v1/messages", LIVE, Some(&body)).await;
        assert_eq!(status, 202, "{reply}");
        let id: MessageId = reply["id"].as_str().unwrap().parse().unwrap();
        self.until(id, |message| message["attempts"][0]["status"] == "accepted").await;
        id
    }

    pub(super) async fn message(&self, id: MessageId) -> Value {
        self.call("GET", &format!("/v1/messages/{id}"), LIVE, None).await.1
    }

    /// Looks until `done` holds of the message.
    pub(super) async fn until(&self, id: MessageId, done: impl Fn(&Value) -> bool) -> Value {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            let message = self.message(id).await;
            if done(&message) {
                return message;
            }
            assert!(Instant::now() < until, "{message:#}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

fn options() -> SystemOptions {
    SystemOptions {
        cascades: CascadeOptions {
            public_url: "https://hermes.example".to_owned(),
            passivate_after: PASSIVATE_AFTER,
            poison_failures_max: 5,
        },
        lanes: LaneLimits { otp: 100, transactional: 100, bulk: 100 },
        gateway: GatewayOptions::default(),
        webhooks: WebhookOptions::default(),
    }
}

fn settings() -> ApiSettings {
    ApiSettings {
        public_url: "https://hermes.example".to_owned(),
        simulator_url: "http://127.0.0.1:8090".to_owned(),
        max_concurrent_requests: 100,
        request_timeout: Duration::from_secs(30),
        attempts_per_step: 5,
        exploration_percent: 0,
        step_timeouts_s: BTreeMap::new(),
        default_expiry: Duration::from_secs(259_200),
        metrics: Arc::new(String::new),
        ready: Arc::new(|| true),
    }
}

fn api_ports(
    system: &HermesSystem,
    store: &Arc<FaultyStore>,
    backend: &Arc<MemoryBackend>,
    directory: &Arc<Directory>,
    clock: SystemClock,
) -> ApiPorts {
    ApiPorts {
        directory: Arc::clone(directory),
        intake: system.intake(),
        inbox: system.inbox(),
        store: MessageStore::new(store.clone()),
        log: backend.clone(),
        idempotency: backend.clone(),
        outbox: backend.clone(),
        notifier: system.notifier(),
        usage: backend.clone(),
        events: system.events(),
        suppressions: backend.clone(),
        lists: system.lists(),
        erasure: backend.clone(),
        inbound: backend.clone(),
        batches: backend.clone(),
        receipts: system.receipts(),
        registry: backend.clone(),
        audit: backend.clone(),
        gateway: system.gateway(),
        adapters: Arc::new(TakesAll),
        dns: Arc::new(NoDns),
        actors: system.tree(),
        clock: Arc::new(clock),
        mint: Arc::new(Mint::new(Arc::new(clock), vec![])),
    }
}

async fn seed(directory: &Directory) {
    let owner = Tenant {
        id: tenant(1),
        name: "tenant 1".into(),
        suspended: false,
        default_cascade: None,
        policy: TenantPolicy::default(),
        created_at: START,
    };
    directory.create_tenant(owner).await.unwrap();
    let keys = [(LIVE, KeyOwner::Tenant(tenant(1), Mode::Live)), (ADMIN, KeyOwner::Operator)];
    for (number, (secret, owner)) in (1..).zip(keys) {
        let key = ApiKey {
            id: KeyId::new(START, number),
            owner,
            name: "tests".into(),
            scopes: Scopes::All,
            role: None,
            hint: None,
            expires_at: None,
            created_at: START,
        };
        directory.import_key(key, secret).await.unwrap();
    }
    let only = Connection {
        id: connection(1),
        tenant: None,
        mode: Mode::Live,
        provider: "takes-all".into(),
        name: "takes-all".into(),
        channel: Channel::Sms,
        config: BTreeMap::new(),
        rate_per_s: None,
        held: false,
        created_at: START,
    };
    directory.create_connection(only, ConnectionTerms::default(), Secrets::default()).await.unwrap();
}

#[derive(Debug)]
struct NoUpkeep;

#[async_trait]
impl Upkeep for NoUpkeep {
    async fn upkeep(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

/// No connection follows its provider's list.
#[derive(Debug)]
struct NoLists;

#[async_trait]
impl ProviderLists for NoLists {
    async fn follow(&self, _: Vec<FollowedList>) -> Result<(), StoreError> {
        Ok(())
    }

    async fn catch_up(&self, _: FollowedList, _: usize, _: bool, _: UnixMillis) -> Result<usize, StoreError> {
        Ok(0)
    }

    async fn due(&self, _: ConnectionId, _: UnixMillis, _: usize) -> Result<Vec<ListChange>, StoreError> {
        Ok(vec![])
    }

    async fn end(&self, _: &ListChange, _: ChangeEnd) -> Result<(), StoreError> {
        Ok(())
    }

    async fn reading(&self, _: ConnectionId) -> Result<Option<Reading>, StoreError> {
        Ok(None)
    }

    async fn learn(&self, _: FollowedList, _: Vec<Suppression>, _: Reading) -> Result<usize, StoreError> {
        Ok(0)
    }
}

#[derive(Debug)]
struct NoDns;

#[async_trait]
impl DnsLookup for NoDns {
    async fn values(
        &self,
        _: &str,
        _: hermes_domain::sender::RecordType,
    ) -> Result<Vec<String>, DnsUnavailable> {
        Err(DnsUnavailable)
    }
}

/// An adapter whose provider accepts every message without being asked.
struct TakesAll;

fn missing<T>() -> Result<T, AdapterFault> {
    Err(AdapterFault::Missing("only submissions are played".into()))
}

fn unknown<T>() -> Result<T, AdapterRejected> {
    Err(AdapterRejected::UnknownVersion("none".into()))
}

impl AdapterHost for TakesAll {
    fn descriptor(&self, _: &str) -> Option<Arc<Descriptor>> {
        Some(Arc::new(Descriptor {
            name: "takes-all".into(),
            version: "1.0.0".into(),
            channels: vec![Channel::Sms],
            credentials: vec![],
            config: vec![],
            hosts: vec![],
            idempotency: hermes_ports::adapter::Idempotency::None,
            confirms: BTreeMap::from([(Channel::Sms, hermes_domain::outcome::Level::Delivered)]),
            default_rate_per_s: 100,
            has_lookup: false,
            account_setting: None,
            suppression_list: None,
        }))
    }

    fn active_version(&self, _: &str) -> Option<AdapterVersion> {
        Some(AdapterVersion(7))
    }

    fn send(&self, _: &ConnectionAccess, _: &SendCall) -> Result<AdapterStep<Outcome>, AdapterFault> {
        Ok(AdapterStep::Done(Outcome::Accepted(Acceptance::default())))
    }

    fn resume_send(
        &self,
        _: &ConnectionAccess,
        _: Pending,
        _: &HttpResponse,
    ) -> Result<AdapterStep<Outcome>, AdapterFault> {
        missing()
    }

    fn receive(&self, _: &ConnectionAccess, _: &Webhook) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        missing()
    }

    fn resume_receive(
        &self,
        _: &ConnectionAccess,
        _: &Webhook,
        _: Pending,
        _: &HttpResponse,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        missing()
    }

    fn check(&self, _: &ConnectionAccess) -> Result<AdapterStep<Outcome>, AdapterFault> {
        missing()
    }

    fn install(&self, _: &str, _: &[u8]) -> Result<AdapterInfo, AdapterRejected> {
        unknown()
    }

    fn activate(&self, _: &str, _: AdapterVersion) -> Result<AdapterInfo, AdapterRejected> {
        unknown()
    }

    fn canary(&self, _: &str, _: AdapterVersion, _: u8) -> Result<AdapterInfo, AdapterRejected> {
        unknown()
    }

    fn list(&self) -> Vec<AdapterInfo> {
        Vec::new()
    }
}
