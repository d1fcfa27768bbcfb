//! A recipient who opts out at every moment at which it can matter.

use std::{collections::BTreeMap, sync::atomic::AtomicUsize, sync::atomic::Ordering};

use async_trait::async_trait;
use hermes_directory::{ConnectionTerms, DirectoryKeys};
use hermes_domain::{
    AttemptRef, TenantId, UnixMillis,
    connection::Connection,
    message::{Lane, Mode},
    outcome::Outcome,
    policy::TenantPolicy,
    suppression::OptOutScope,
    tenant::{Tenant, TenantScope},
};
use hermes_ports::{
    adapter::{ReceiveResult, Secrets},
    http::Webhook,
    provider_gateway::{ConnectionHealth, Dispatch, Permit, ReceiveError},
    suppressions::{Added, StoredSuppression, SuppressionChange, SuppressionQuery},
};
use hermes_testkit::{ManualClock, MemoryBackend, START, ScriptedGateway, connection, envelope};

use super::*;

const PHONE: &str = "+4520123456";

fn stop(sender: Option<&str>) -> Suppression {
    Suppression {
        id: SuppressionId::new(START, 1),
        tenant: hermes_testkit::tenant(1),
        mode: Mode::Live,
        covers: Coverage::exactly(Channel::Sms, PHONE),
        channel: Some(Channel::Sms),
        sender: sender.map(SenderKey::of),
        reason: SuppressionReason::OptOut,
        source: SuppressionSource::Inbound,
        note: None,
        created_at: START,
        expires_at: None,
    }
}

fn owner() -> Tenant {
    Tenant {
        id: hermes_testkit::tenant(1),
        name: "owner".into(),
        suspended: false,
        default_cascade: None,
        policy: TenantPolicy::default(),
        created_at: START,
    }
}

/// The question about an SMS through connections 1 (from +4550000001) and 2 (from ACME).
async fn question(suppressions: Arc<dyn Suppressions>) -> Consent {
    let keys = DirectoryKeys { hash_key: [1; 32], credentials_key: [2; 32], previous_credentials_key: None };
    let directory = Directory::open(MemoryBackend::new(), keys).await.unwrap();
    directory.create_tenant(owner()).await.unwrap();
    for (number, from) in [(1, "+4550000001"), (2, "ACME")] {
        let seeded = Connection {
            id: connection(number),
            tenant: None,
            mode: Mode::Live,
            provider: "p".into(),
            name: format!("c{number}"),
            channel: Channel::Sms,
            config: BTreeMap::from([("from".to_owned(), from.into())]),
            rate_per_s: None,
            held: false,
            created_at: START,
        };
        directory.create_connection(seeded, ConnectionTerms::default(), Secrets::default()).await.unwrap();
    }
    let envelope = envelope().build();
    let address = SuppressedAddress {
        tenant: envelope.tenant,
        mode: envelope.mode,
        channel: Channel::Sms,
        address: PHONE.to_owned(),
    };
    Consent {
        suppressions,
        directory,
        clock: Arc::new(ManualClock::at(START)),
        envelope,
        channel: Channel::Sms,
        addresses: vec![address],
        connections: vec![connection(1), connection(2)],
    }
}

fn request() -> PermitRequest {
    PermitRequest {
        candidates: vec![connection(1), connection(2)],
        tenant: hermes_testkit::tenant(1),
        lane: Lane::Transactional,
        until: START.plus_s(9),
    }
}

/// Through which connection a wish was granted, and whether memory knew of no rule.
fn granted(wished: Wished) -> Option<(ConnectionId, bool)> {
    match wished {
        Wished::Answered { answer: PermitAnswer::Granted(permit), unsuspected } => {
            Some((permit.connection, unsuspected))
        }
        Wished::Answered { answer: PermitAnswer::Busy { .. } | PermitAnswer::NoRoute, .. } => None,
        Wished::Suppressed => None,
    }
}

/// Grants what is asked for, but meanwhile the recipient says STOP.
#[derive(Debug)]
struct StopsMeanwhile {
    suppressions: Arc<MemoryBackend>,
    sender: Option<&'static str>,
    asked: AtomicUsize,
    inner: Arc<ScriptedGateway>,
}

#[async_trait]
impl ProviderGateway for StopsMeanwhile {
    async fn acquire(&self, request: PermitRequest) -> PermitAnswer {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.suppressions.add(vec![stop(self.sender)]).await.unwrap();
        self.inner.acquire(request).await
    }

    fn dispatch(&self, _: Permit, _: Dispatch) {}

    fn in_flight(&self, _: AttemptRef) -> bool {
        false
    }

    async fn receive(&self, _: ConnectionId, _: Webhook) -> Result<ReceiveResult, ReceiveError> {
        Err(ReceiveError::UnknownConnection)
    }

    async fn check(&self, _: ConnectionId) -> Option<Outcome> {
        None
    }

    async fn health(&self, _: ConnectionId) -> Option<ConnectionHealth> {
        None
    }
}

#[tokio::test]
async fn without_rules_the_wish_is_the_gateways_answer() {
    let wished = question(MemoryBackend::new()).await.wish(&*ScriptedGateway::new(), request()).await;
    assert_eq!(granted(wished), Some((connection(1), true)));
}

#[tokio::test]
async fn a_silenced_sender_is_not_even_asked_for() {
    let backend = MemoryBackend::new();
    backend.add(vec![stop(Some("4550000001"))]).await.unwrap();
    let wished = question(backend).await.wish(&*ScriptedGateway::new(), request()).await;
    assert_eq!(granted(wished), Some((connection(2), false)));
}

#[tokio::test]
async fn a_recipient_who_silenced_everybody_ends_the_step() {
    let backend = MemoryBackend::new();
    backend.add(vec![stop(None)]).await.unwrap();
    let wished = question(backend).await.wish(&*ScriptedGateway::new(), request()).await;
    assert!(matches!(wished, Wished::Suppressed), "{wished:?}");
}

#[tokio::test]
async fn a_stop_while_the_permit_is_waited_for_gives_the_permit_back() {
    for (sender, expected, asked) in [(None, None, 1), (Some("+4550000001"), Some((connection(2), false)), 2)]
    {
        let suppressions = MemoryBackend::new();
        let gateway = StopsMeanwhile {
            suppressions: suppressions.clone(),
            sender,
            asked: AtomicUsize::new(0),
            inner: ScriptedGateway::new(),
        };
        let wished = question(suppressions).await.wish(&gateway, request()).await;
        assert_eq!((granted(wished), gateway.asked.into_inner()), (expected, asked));
    }
}

/// May cover every address, and never answers.
#[derive(Debug)]
struct Away;

fn away<T>() -> Result<T, StoreError> {
    Err(StoreError::Full)
}

#[async_trait]
impl Suppressions for Away {
    async fn add(&self, _: Vec<Suppression>) -> Result<Vec<Added>, StoreError> {
        away()
    }

    async fn get(
        &self,
        _: TenantId,
        _: Mode,
        _: SuppressionId,
    ) -> Result<Option<StoredSuppression>, StoreError> {
        away()
    }

    async fn list(&self, _: SuppressionQuery) -> Result<Vec<StoredSuppression>, StoreError> {
        away()
    }

    async fn update(
        &self,
        _: TenantScope,
        _: SuppressionId,
        _: Option<u64>,
        _: SuppressionChange,
    ) -> Result<Option<StoredSuppression>, StoreError> {
        away()
    }

    async fn delete(&self, _: TenantScope, _: SuppressionId, _: Option<u64>) -> Result<bool, StoreError> {
        away()
    }

    async fn lift(&self, _: SuppressedAddress, _: Option<SenderKey>) -> Result<(), StoreError> {
        away()
    }

    fn may_cover(&self, _: &SuppressedAddress) -> bool {
        true
    }

    async fn covering(&self, _: &SuppressedAddress) -> Result<Vec<Suppression>, StoreError> {
        away()
    }

    async fn opt_out_scope(&self, _: TenantId, _: Mode) -> Result<OptOutScope, StoreError> {
        away()
    }

    async fn set_opt_out_scope(&self, _: TenantId, _: Mode, _: OptOutScope) -> Result<(), StoreError> {
        away()
    }
}

#[tokio::test]
async fn nobody_is_written_to_while_the_store_cannot_be_asked() {
    let wished = question(Arc::new(Away)).await.wish(&*ScriptedGateway::new(), request()).await;
    let Wished::Answered { answer: PermitAnswer::Busy { retry_at }, .. } = wished else {
        panic!("{wished:?}")
    };
    assert_eq!(retry_at, UnixMillis(START.0 + STORE_AWAY_MS));
}

/// When a wish is made again, if it is.
fn again_at(wished: Wished) -> Option<UnixMillis> {
    match wished {
        Wished::Answered { answer: PermitAnswer::Busy { retry_at }, .. } => Some(retry_at),
        Wished::Answered { .. } | Wished::Suppressed => None,
    }
}

#[tokio::test]
async fn nothing_starts_for_a_suspended_tenant_or_while_the_recipient_is_left_alone() {
    let (backend, gateway) = (MemoryBackend::new(), ScriptedGateway::new());
    let consent = question(backend).await;
    let change = async |change: fn(&mut Tenant)| {
        consent.directory.update_tenant(owner().id, None, change).await.unwrap();
        again_at(consent.wish(&*gateway, request()).await)
    };
    assert_eq!(change(|tenant| tenant.suspended = true).await, Some(START.plus_s(5)));
    assert_eq!(change(|tenant| tenant.suspended = false).await, None);
    let night = change(|tenant| {
        let hours = serde_json::json!({ "from": "21:00", "until": "08:00", "timezone": "Europe/Copenhagen" });
        tenant.policy.quiet_hours = Some(serde_json::from_value(hours).unwrap());
    });
    let opens = UnixMillis::parse_rfc3339("2026-01-02T07:00:00Z").unwrap();
    assert_eq!((START.rfc3339().as_str(), night.await), ("2026-01-02T03:04:05.000Z", Some(opens)));
}
