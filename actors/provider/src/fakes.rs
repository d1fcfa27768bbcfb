//! Scripted ports for this crate's tests.

mod adapter;
mod egress;
mod inbox;

use std::{collections::BTreeMap, sync::Arc};

use hermes_domain::{ConnectionId, UnixMillis, address::Channel, connection::Connection, message::Mode};
use hermes_ports::{
    Clock, OperationalEvents, StoreError,
    adapter::{ConnectionAccess, Secrets},
    operational_events::Announcement,
};
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

pub(crate) use adapter::FakeHost;
pub(crate) use egress::{FakeEgress, Reply, answer};
pub(crate) use inbox::{FakeInbox, FakeReceipts, orphan};

use crate::{herald::Herald, line::Line, options::Options, source::ConnectionSource};

/// Remembers what was announced.
#[derive(Debug, Default)]
pub(crate) struct FakeEvents {
    pub(crate) announced: Mutex<Vec<Announcement>>,
    /// How many of the next announcements fail.
    pub(crate) failures: Mutex<u32>,
}

#[async_trait::async_trait]
impl OperationalEvents for FakeEvents {
    async fn announce(&self, announcement: Announcement) -> Result<usize, StoreError> {
        let mut failures = self.failures.lock();
        if *failures > 0 {
            *failures -= 1;
            return Err(StoreError::Unavailable { attempted: "testing", cause: "scripted".into() });
        }
        self.announced.lock().push(announcement);
        Ok(1)
    }
}

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
        UnixMillis(1_800_000_000_000).plus_ms(self.0.elapsed().as_millis() as u64)
    }
}

pub(crate) fn connection_id(number: u128) -> ConnectionId {
    ConnectionId::from_u128(number)
}

pub(crate) fn connection(number: u128, rate_per_s: u32) -> Connection {
    Connection {
        id: connection_id(number),
        tenant: None,
        mode: Mode::Live,
        provider: "fake".to_owned(),
        name: format!("c{number}"),
        channel: Channel::Sms,
        config: BTreeMap::new(),
        rate_per_s: Some(rate_per_s),
        held: false,
        created_at: UnixMillis(0),
    }
}

pub(crate) fn access(connection: Connection) -> ConnectionAccess {
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets::default()) }
}

/// Lines without actors.
pub(crate) fn lines(count: u128) -> Vec<Arc<Line>> {
    let line = |number| {
        let access = access(connection(number, 1_000));
        let herald = Herald::new(Arc::new(FakeEvents::default()));
        Arc::new(Line::new(access, 10, &Options::default(), TokioClock::new(), herald))
    };
    (1..=count).map(line).collect()
}

/// Connections that tests change.
#[derive(Debug)]
pub(crate) struct FakeSource {
    connections: Mutex<BTreeMap<ConnectionId, ConnectionAccess>>,
    generation: watch::Sender<u64>,
}

impl FakeSource {
    pub(crate) fn new(connections: impl IntoIterator<Item = Connection>) -> Arc<Self> {
        let all = connections.into_iter().map(|connection| (connection.id, access(connection))).collect();
        Arc::new(Self { connections: Mutex::new(all), generation: watch::Sender::new(0) })
    }

    pub(crate) fn put(&self, connection: Connection) {
        self.connections.lock().insert(connection.id, access(connection));
        self.generation.send_modify(|generation| *generation += 1);
    }

    pub(crate) fn remove(&self, id: ConnectionId) {
        self.connections.lock().remove(&id);
        self.generation.send_modify(|generation| *generation += 1);
    }
}

impl ConnectionSource for FakeSource {
    fn access(&self, id: ConnectionId) -> Option<ConnectionAccess> {
        self.connections.lock().get(&id).cloned()
    }

    fn connections(&self) -> Vec<ConnectionId> {
        self.connections.lock().keys().copied().collect()
    }

    fn subscribe(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }
}
