//! Every storing port in memory.

mod audit;
mod batches;
mod cascades;
mod claims;
mod erasure;
mod inbound;
mod log;
mod outbox;
mod receipts;
mod records;
mod suppressions;
mod usage;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
    sync::Arc,
};

use hermes_domain::{
    BatchId, EndpointId, EventId, MessageId, SuppressionId, TenantId, UnixMillis,
    failure_streak::FailureStreak,
    message::Mode,
    suppression::OptOutScope,
    usage::{UsageCounts, UsageKey},
};
use hermes_ports::{
    Clock,
    audit::AuditEntry,
    cascade_store::{OpenCascade, StoredCascade},
    idempotency::Claim,
    inbound_log::InboundEntry,
    outbox::Delivery,
    receipt_inbox::{Parked, ParkedId},
    registry::Record,
    suppressions::StoredSuppression,
};
use parking_lot::Mutex;

use crate::{ManualClock, START};

/// Every storing port in memory; forgets everything when dropped.
pub struct MemoryBackend {
    clock: Arc<dyn Clock>,
    tables: Mutex<Tables>,
}

#[derive(Default)]
struct Tables {
    cascades: BTreeMap<MessageId, Row>,
    claims: BTreeMap<(TenantId, Mode, String), Claim>,
    outbox: BTreeMap<(EndpointId, EventId), Delivery>,
    webhook_failures: BTreeMap<EndpointId, FailureStreak>,
    parked: BTreeMap<ParkedId, Parked>,
    parked_once: HashMap<receipts::Content, ParkedId>,
    parked_last: i64,
    records: BTreeMap<(&'static str, String), Record>,
    suppressions: BTreeMap<SuppressionId, StoredSuppression>,
    opt_out_scopes: HashMap<(TenantId, Mode), OptOutScope>,
    audit: Vec<AuditEntry>,
    usage: BTreeMap<UsageKey, UsageCounts>,
    inbound: BTreeMap<inbound::Key, (InboundEntry, [u8; 32])>,
    batches: BTreeMap<BatchId, batches::Row>,
}

struct Row {
    stored: StoredCascade,
    open: Option<OpenCascade>,
}

impl MemoryBackend {
    /// An empty backend whose clock stands at [`START`].
    pub fn new() -> Arc<Self> {
        Self::with_clock(Arc::new(ManualClock::at(START)))
    }

    /// An empty backend that tells what has expired by `clock`.
    pub fn with_clock(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, tables: Mutex::default() })
    }

    fn now(&self) -> UnixMillis {
        self.clock.now()
    }
}

impl fmt::Debug for MemoryBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryBackend")
            .field("cascades", &self.tables.lock().cascades.len())
            .finish_non_exhaustive()
    }
}
