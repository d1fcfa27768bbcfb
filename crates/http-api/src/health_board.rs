//! How connections have fared, as routing sees it: at most a second old.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use arc_swap::ArcSwap;
use hermes_domain::{ConnectionId, UnixMillis, breaker::BreakerState, routing::Health};
use hermes_ports::provider_gateway::ConnectionHealth;

use crate::api::Api;

/// Age at which figures are read again, in milliseconds.
const FRESH_MS: u64 = 1_000;

/// The figures that were read last.
#[derive(Debug, Default)]
pub(crate) struct HealthBoard {
    seen: ArcSwap<Seen>,
    reading: AtomicBool,
}

/// Figures of every connection at one moment.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    at: UnixMillis,
    health: HashMap<ConnectionId, Health>,
}

impl Seen {
    /// Those of a connection; of one that nobody has used, if there are none.
    pub(crate) fn of(&self, connection: ConnectionId) -> Health {
        self.health.get(&connection).copied().unwrap_or_default()
    }
}

impl HealthBoard {
    /// Figures of `now`. One caller reads them where they are too old; the others go on with what there is.
    pub(crate) async fn at(&self, api: &Api, now: UnixMillis) -> Arc<Seen> {
        let seen = self.seen.load_full();
        if now.since(seen.at) < FRESH_MS || self.reading.swap(true, Ordering::AcqRel) {
            return seen;
        }
        let _reading = Reading(&self.reading);
        let connections: Vec<ConnectionId> = api
            .directory()
            .read(|snapshot| snapshot.connections().map(|entry| entry.access.connection.id).collect());
        let mut health = HashMap::with_capacity(connections.len());
        for connection in connections {
            if let Some(figures) = api.ports.gateway.health(connection).await {
                health.insert(connection, of(&figures));
            }
        }
        self.seen.store(Arc::new(Seen { at: now, health }));
        self.seen.load_full()
    }
}

/// Ends a reading, even one that is given up on the way.
struct Reading<'a>(&'a AtomicBool);

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

fn of(figures: &ConnectionHealth) -> Health {
    Health {
        held: figures.held,
        is_open: figures.breaker == BreakerState::Open,
        throttled_until: figures.throttled_until,
        calls: figures.calls,
        processed: figures.processed,
        latency_p99_ms: figures.latency_p99_ms,
        receipts_due: figures.receipts_due,
        receipts_came: figures.receipts_came,
    }
}
