//! Scripted ports for this crate's tests.

mod network;
mod outbox;

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use hermes_domain::{EndpointId, EventId, MessageId, UnixMillis};
use hermes_ports::{
    Clock,
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
    Item {
        event: event(number),
        message: MessageId::from_u128(1),
        body: "{}".into(),
        attempts: 0,
        next_at: UnixMillis(at),
    }
}

/// An entry for endpoint `of`.
pub(crate) fn entry(of: u128, number: u128) -> OutboxEntry {
    OutboxEntry {
        endpoint: endpoint(of),
        event: event(number),
        message: MessageId::from_u128(1),
        event_type: "message.delivered",
        body: format!(r#"{{"n":{number}}}"#),
        created_at: UnixMillis(1_600_000_000_000),
    }
}

pub(crate) fn update(number: u128) -> DeliveryUpdate {
    DeliveryUpdate {
        endpoint: endpoint(1),
        event: event(number),
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
    targets: Mutex<BTreeMap<EndpointId, Target>>,
    generation: watch::Sender<u64>,
}

impl FakeEndpoints {
    /// Endpoints 1 to `count`.
    pub(crate) fn new(count: u128) -> Arc<Self> {
        let target = |number| Target {
            url: format!("https://tenant.test/{number}"),
            disabled: false,
            secrets: vec!["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD".to_owned()],
        };
        let targets = (1..=count).map(|number| (endpoint(number), target(number))).collect();
        Arc::new(Self { targets: Mutex::new(targets), generation: watch::Sender::new(0) })
    }

    pub(crate) fn set_disabled(&self, id: EndpointId, disabled: bool) {
        if let Some(target) = self.targets.lock().get_mut(&id) {
            target.disabled = disabled;
        }
        self.generation.send_modify(|generation| *generation += 1);
    }

    pub(crate) fn remove(&self, id: EndpointId) {
        self.targets.lock().remove(&id);
        self.generation.send_modify(|generation| *generation += 1);
    }

    pub(crate) fn is_disabled(&self, id: EndpointId) -> bool {
        self.targets.lock()[&id].disabled
    }
}

#[async_trait]
impl EndpointSource for FakeEndpoints {
    fn target(&self, id: EndpointId, _: UnixMillis) -> Option<Target> {
        self.targets.lock().get(&id).cloned()
    }

    fn endpoints(&self) -> Vec<EndpointId> {
        self.targets.lock().keys().copied().collect()
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    async fn disable(&self, id: EndpointId) -> Result<(), DisableError> {
        self.set_disabled(id, true);
        Ok(())
    }
}
