//! Ports that the API stands on, as simple as they can be.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use hermes_domain::{
    ConnectionId, EndpointId, MessageId, TenantId, UnixMillis,
    address::Channel,
    cascade::{AdapterVersion, Cascade, Event, begin, step},
    message::Envelope,
    outcome::{Level, Outcome},
    sender::RecordType,
};
use hermes_ports::{
    ActorTree, CascadeInbox, CascadeStore, Clock, ListSync, MessageIntake, OperationalEvents, StoreError,
    actor_tree::{ActorView, ParkedMessage},
    adapter::{
        AdapterFault, AdapterHost, AdapterInfo, AdapterRejected, AdapterStep, CanaryReport, ConnectionAccess,
        Descriptor, FieldSpec, Idempotency, Pending, ReceiveResult, SendCall,
    },
    cascade_inbox::{DeliverError, Delivered},
    cascade_store::Commit,
    dns::{DnsLookup, DnsUnavailable},
    http::{HttpResponse, Webhook},
    idempotency::Claim,
    message_intake::SubmitError,
    operational_events::Announcement,
    outbox::{OutboxEntry, WebhookNotifier},
    provider_lists::{NotSynced, SyncCounts},
    receipt_inbox::ParkedId,
};
use hermes_testkit::{ManualClock, MemoryBackend};
use parking_lot::Mutex;

/// Commits the first state of a message; no actor runs.
#[derive(Debug)]
pub(crate) struct FakeIntake {
    pub(crate) backend: Arc<MemoryBackend>,
    pub(crate) overloaded: AtomicBool,
    /// Nobody is there to take a message.
    pub(crate) away: AtomicBool,
    pub(crate) panics: AtomicBool,
    /// Submissions that found no room.
    pub(crate) turned_away: AtomicUsize,
    /// Told of each submission before it waits.
    pub(crate) arrived: tokio::sync::Notify,
    /// While held, submissions wait.
    pub(crate) gate: tokio::sync::RwLock<()>,
}

#[async_trait]
impl MessageIntake for FakeIntake {
    async fn submit(&self, envelope: Arc<Envelope>, claim: Option<Claim>) -> Result<(), SubmitError> {
        self.arrived.notify_one();
        let _open = self.gate.read().await;
        assert!(!self.panics.load(Ordering::SeqCst), "told to panic");
        if self.overloaded.load(Ordering::SeqCst) {
            self.turned_away.fetch_add(1, Ordering::SeqCst);
            return Err(SubmitError::Overloaded { under_way_max: 20, retry_after_s: 7 });
        }
        if self.away.load(Ordering::SeqCst) {
            return Err(SubmitError::Away { retry_after_s: 3 });
        }
        let first = begin(&envelope, envelope.created_at);
        let commit = Commit { claim, ..Commit::of(&envelope, &first.next, None) };
        match self.backend.commit(commit).await {
            Ok(_) => Ok(()),
            Err(StoreError::ClaimTaken) => Err(SubmitError::ClaimTaken),
            Err(failure) => Err(SubmitError::Store(failure)),
        }
    }
}

/// Applies events to stored cascades.
#[derive(Debug)]
pub(crate) struct FakeInbox {
    pub(crate) backend: Arc<MemoryBackend>,
    pub(crate) clock: Arc<ManualClock>,
    /// Every delivery is told to come back.
    pub(crate) busy: AtomicBool,
}

#[async_trait]
impl CascadeInbox for FakeInbox {
    async fn deliver(
        &self,
        id: MessageId,
        event: Event,
        _consumed: Option<ParkedId>,
    ) -> Result<Delivered, DeliverError> {
        if self.busy.load(Ordering::SeqCst) {
            return Err(DeliverError::Retry);
        }
        let stored = self.backend.load(id).await.map_err(DeliverError::Store)?;
        let stored = stored.ok_or(DeliverError::Unknown(id))?;
        let cascade = Cascade { envelope: Arc::clone(&stored.envelope), state: stored.state };
        match step(&cascade, event, self.clock.now()) {
            Ok(transition) => {
                let commit = Commit::of(&stored.envelope, &transition.next, Some(stored.revision));
                let commit = commit.counting_from(&stored.envelope, &cascade.state, &transition.next);
                self.backend.commit(commit).await.map_err(DeliverError::Store)?;
                Ok(Delivered::Applied)
            }
            Err(reason) => Ok(Delivered::Ignored(reason)),
        }
    }
}

/// Remembers what endpoints' actors were told.
#[derive(Debug, Default)]
pub(crate) struct FakeNotifier {
    pub(crate) told: Mutex<Vec<OutboxEntry>>,
    /// Endpoints whose actors were asked to look into the outbox.
    pub(crate) asked: Mutex<Vec<EndpointId>>,
}

impl WebhookNotifier for FakeNotifier {
    fn notify(&self, entries: Vec<OutboxEntry>) {
        self.told.lock().extend(entries);
    }

    fn look(&self, endpoint: EndpointId) {
        self.asked.lock().push(endpoint);
    }
}

/// Describes three adapters; takes components that begin with `good`.
#[derive(Debug, Default)]
pub(crate) struct FakeAdapters {
    installed: Mutex<Vec<AdapterInfo>>,
}

fn field(name: &str, required: bool) -> FieldSpec {
    FieldSpec { name: name.into(), required, public: false, description: name.into() }
}

fn descriptor(name: &str, channel: Channel, confirms: Level) -> Descriptor {
    let (credentials, config) = match name {
        "twilio" => (
            vec![field("account_sid", true), field("auth_token", true), field("api_key_sid", false)],
            vec![field("from", false), field("messaging_service_sid", false)],
        ),
        "ses" => (
            vec![field("access_key_id", true), field("secret_access_key", true)],
            vec![field("region", true)],
        ),
        _ => (
            vec![field("service_account", true)],
            vec![field("project_id", false), field("token_uri", false)],
        ),
    };
    Descriptor {
        name: name.into(),
        version: "1.0.0".into(),
        channels: vec![channel],
        credentials,
        config,
        hosts: vec![],
        idempotency: Idempotency::None,
        confirms: BTreeMap::from([(channel, confirms)]),
        default_rate_per_s: 10,
        has_lookup: false,
        account_setting: Some("number".into()),
        suppression_list: None,
    }
}

fn missing<T>() -> Result<T, AdapterFault> {
    Err(AdapterFault::Missing("fake".into()))
}

impl AdapterHost for FakeAdapters {
    fn descriptor(&self, adapter: &str) -> Option<Arc<Descriptor>> {
        let described = match adapter {
            "twilio" => descriptor("twilio", Channel::Sms, Level::Delivered),
            "ses" => Descriptor {
                suppression_list: Some(Channel::Email),
                ..descriptor("ses", Channel::Email, Level::Read)
            },
            "fcm" => descriptor("fcm", Channel::Push, Level::Accepted),
            _ => return None,
        };
        Some(Arc::new(described))
    }

    fn active_version(&self, _adapter: &str) -> Option<AdapterVersion> {
        None
    }

    fn send(&self, _: &ConnectionAccess, _: &SendCall) -> Result<AdapterStep<Outcome>, AdapterFault> {
        missing()
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

    fn install(&self, name: &str, component: &[u8]) -> Result<AdapterInfo, AdapterRejected> {
        if !component.starts_with(b"good") {
            return Err(AdapterRejected::NotAComponent("no magic number".into()));
        }
        let version = AdapterVersion(component.iter().map(|byte| u64::from(*byte)).sum());
        let info = AdapterInfo {
            name: name.into(),
            version,
            semver: "2.0.0".into(),
            active: false,
            bytes: component.len(),
            canary: None,
        };
        self.installed.lock().push(info.clone());
        Ok(info)
    }

    fn activate(&self, name: &str, version: AdapterVersion) -> Result<AdapterInfo, AdapterRejected> {
        let mut installed = self.installed.lock();
        let fits = |info: &&mut AdapterInfo| info.name == name && info.version == version;
        match installed.iter_mut().find(fits) {
            Some(info) => {
                info.active = true;
                Ok(info.clone())
            }
            None => Err(AdapterRejected::UnknownVersion(version.to_string())),
        }
    }

    fn canary(
        &self,
        name: &str,
        version: AdapterVersion,
        share_percent: u8,
    ) -> Result<AdapterInfo, AdapterRejected> {
        let mut installed = self.installed.lock();
        let found = installed.iter_mut().find(|info| info.name == name && info.version == version);
        let info = found.ok_or_else(|| AdapterRejected::UnknownVersion(version.to_string()))?;
        info.canary = (share_percent > 0).then(|| CanaryReport { share_percent, ..CanaryReport::default() });
        Ok(info.clone())
    }

    fn list(&self) -> Vec<AdapterInfo> {
        self.installed.lock().clone()
    }
}

/// A root with one cascade.
#[derive(Debug, Default)]
pub(crate) struct FakeActors {
    pub(crate) killed: Mutex<Vec<String>>,
    pub(crate) parked: Mutex<Vec<ParkedMessage>>,
}

fn actor(id: &str, parent: Option<&str>) -> ActorView {
    ActorView {
        id: id.into(),
        kind: id.split('/').next().unwrap_or_default().into(),
        parent: parent.map(Into::into),
        state: "running".into(),
        mailbox: 0,
        restarts: 0,
        started_at_ms: UnixMillis(1_767_323_045_000).0,
        last_error: None,
        children: vec![],
        detail: serde_json::Value::Null,
    }
}

#[async_trait]
impl ActorTree for FakeActors {
    async fn list(&self) -> Vec<ActorView> {
        vec![actor("root", None), actor("cascade/msg_1", Some("root"))]
    }

    async fn get(&self, id: &str) -> Option<ActorView> {
        self.list().await.into_iter().find(|actor| actor.id == id)
    }

    async fn kill(&self, id: &str) -> bool {
        let known = self.get(id).await.is_some();
        if known {
            self.killed.lock().push(id.to_owned());
        }
        known
    }

    async fn parked(&self) -> Vec<ParkedMessage> {
        self.parked.lock().clone()
    }

    async fn release(&self, tenant: TenantId, id: MessageId) -> bool {
        let mut parked = self.parked.lock();
        let before = parked.len();
        parked.retain(|one| (one.tenant, one.id) != (tenant, id));
        parked.len() < before
    }
}

/// Keeps what tenants would be told; an event that is announced again is not told again.
#[derive(Debug, Default)]
pub(crate) struct FakeEvents(pub(crate) Mutex<Vec<Announcement>>);

#[async_trait]
impl OperationalEvents for FakeEvents {
    async fn announce(&self, announcement: Announcement) -> Result<usize, StoreError> {
        let mut told = self.0.lock();
        if told.iter().any(|known| known.id == announcement.id) {
            return Ok(0);
        }
        told.push(announcement);
        Ok(1)
    }
}

/// Knows the records that it is given; empty, it does not answer.
#[derive(Debug, Default)]
pub(crate) struct FakeDns {
    pub(crate) records: Mutex<BTreeMap<(String, &'static str), String>>,
}

#[async_trait]
impl DnsLookup for FakeDns {
    async fn values(&self, name: &str, record_type: RecordType) -> Result<Vec<String>, DnsUnavailable> {
        let records = self.records.lock();
        if records.is_empty() {
            return Err(DnsUnavailable);
        }
        Ok(records.get(&(name.to_owned(), record_type.as_str())).cloned().into_iter().collect())
    }
}

/// Keeps the list of every connection in step that says so, whatever its provider has.
#[derive(Debug)]
pub(crate) struct FakeLists {
    pub(crate) directory: Arc<hermes_directory::Directory>,
}

#[async_trait]
impl ListSync for FakeLists {
    async fn sync(&self, connection: ConnectionId) -> Result<SyncCounts, NotSynced> {
        let access = self.directory.access(connection).ok_or(NotSynced::NotFollowed)?;
        if access.connection.config.get("sync_suppressions") != Some(&serde_json::Value::Bool(true)) {
            return Err(NotSynced::NotFollowed);
        }
        Ok(SyncCounts { read: 3, added: 2, pushed: 1, failed: 0, more: false })
    }
}
