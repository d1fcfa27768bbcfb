//! Scripted ports for this crate's tests.

mod network;
mod outbox;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use hermes_domain::{
    EndpointId, EventId, MessageId, TenantId, UnixMillis,
    message::Mode,
    tenant::{DisableReason, Endpoint},
};
use hermes_ports::{
    Clock,
    operational_events::Audience,
    outbox::{DeliveryStatus, DeliveryUpdate, OutboxEntry},
};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

pub(crate) use network::{FakeEgress, answer};
pub(crate) use outbox::FakeOutbox;

use crate::{
    item::Item,
    source::{DisableError, EndpointSource, Target},
};

/// Follows tokio's clock, which tests pause.
#[derive(Debug)]
pub(crate) struct TokioClock(Instant);

impl TokioClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Instant::now()))
    }
}

impl Clock for TokioClock {
    fn now(&self) -> UnixMillis {
        UnixMillis(1_700_000_000_000).plus_ms(self.0.elapsed().as_millis() as u64)
    }
}

pub(crate) fn endpoint(number: u128) -> EndpointId {
    EndpointId::from_u128(number)
}

pub(crate) fn event(number: u128) -> EventId {
    EventId::from_u128(number)
}

pub(crate) fn item(number: u128, at: u64) -> Item {
    Item { event: event(number), body: "{}".into(), attempts: 0, next_at: UnixMillis(at) }
}

/// An entry for endpoint `of`.
pub(crate) fn entry(of: u128, number: u128) -> OutboxEntry {
    OutboxEntry {
        endpoint: endpoint(of),
        event: event(number),
        message: Some(MessageId::from_u128(1)),
        event_type: "message.delivered",
        body: format!(r#"{{"n":{number}}}"#),
        created_at: UnixMillis(1_600_000_000_000),
    }
}

pub(crate) fn update(number: u128) -> DeliveryUpdate {
    DeliveryUpdate {
        endpoint: endpoint(1),
        event: event(number),
        at: UnixMillis(0),
        status: DeliveryStatus::Delivered,
        attempts: 1,
        next_at: UnixMillis(0),
        last_status: Some(200),
        last_error: None,
    }
}

/// Endpoints that tests change.
#[derive(Debug)]
pub(crate) struct FakeEndpoints {
    endpoints: Mutex<BTreeMap<EndpointId, Endpoint>>,
    generation: watch::Sender<u64>,
}

impl FakeEndpoints {
    /// Endpoints 1 to `count`.
    pub(crate) fn new(count: u128) -> Arc<Self> {
        let make = |number| Endpoint {
            id: endpoint(number),
            tenant: TenantId::from_u128(1),
            mode: Mode::Live,
            url: format!("https://tenant.test/{number}"),
            event_types: Vec::new(),
            description: None,
            disabled: false,
            disabled_reason: None,
            created_at: UnixMillis(0),
        };
        let endpoints = (1..=count).map(|number| (endpoint(number), make(number))).collect();
        Arc::new(Self { endpoints: Mutex::new(endpoints), generation: watch::Sender::new(0) })
    }

    /// Changes an endpoint and says so.
    pub(crate) fn change(&self, id: EndpointId, change: impl FnOnce(&mut Endpoint)) {
        if let Some(endpoint) = self.endpoints.lock().get_mut(&id) {
            change(endpoint);
        }
        self.generation.send_modify(|generation| *generation += 1);
    }

    pub(crate) fn remove(&self, id: EndpointId) {
        self.endpoints.lock().remove(&id);
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// Why an endpoint is disabled.
    pub(crate) fn disabled(&self, id: EndpointId) -> Option<DisableReason> {
        self.endpoints.lock()[&id].disabled_reason
    }
}

#[async_trait]
impl EndpointSource for FakeEndpoints {
    fn target(&self, id: EndpointId, _: UnixMillis) -> Option<Target> {
        self.endpoints.lock().get(&id).map(|endpoint| Target {
            tenant: endpoint.tenant,
            mode: endpoint.mode,
            url: endpoint.url.clone(),
            disabled: endpoint.disabled,
            secrets: vec!["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned()],
        })
    }

    fn audience(&self, audience: Audience) -> Vec<Arc<Endpoint>> {
        let Audience::Tenant(tenant, mode) = audience else { return Vec::new() };
        let endpoints = self.endpoints.lock();
        let heard = endpoints.values().filter(|endpoint| (endpoint.tenant, endpoint.mode) == (tenant, mode));
        heard.cloned().map(Arc::new).collect()
    }

    fn endpoints(&self) -> Vec<EndpointId> {
        self.endpoints.lock().keys().copied().collect()
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    async fn disable(&self, id: EndpointId, reason: DisableReason) -> Result<(), DisableError> {
        self.change(id, |endpoint| endpoint.disable(reason));
        Ok(())
    }
}
