//! The ports of one backend.

use std::sync::Arc;

use hermes_ports::{
    AuditLog, Batches, CascadeStore, Erasure, Idempotency, InboundLog, MessageLog, Outbox, ReceiptInbox,
    Registry, Suppressions, UsageLog,
};

/// The storing ports of one deployment, over the same storage.
#[derive(Clone, Debug)]
pub struct Ports {
    /// Cascades.
    pub cascades: Arc<dyn CascadeStore>,
    /// Idempotency keys.
    pub claims: Arc<dyn Idempotency>,
    /// Webhooks.
    pub outbox: Arc<dyn Outbox>,
    /// Parked receipts.
    pub parked: Arc<dyn ReceiptInbox>,
    /// Records.
    pub registry: Arc<dyn Registry>,
    /// Lists.
    pub log: Arc<dyn MessageLog>,
    /// Addresses not to write to.
    pub suppressions: Arc<dyn Suppressions>,
    /// What people have written.
    pub inbound: Arc<dyn InboundLog>,
    /// Who did what.
    pub audit: Arc<dyn AuditLog>,
    /// Counts.
    pub usage: Arc<dyn UsageLog>,
    /// Batches.
    pub batches: Arc<dyn Batches>,
    /// Erasing recipients.
    pub erasure: Arc<dyn Erasure>,
}

impl Ports {
    /// The ports of a backend that implements all of them.
    pub fn of<B>(backend: &Arc<B>) -> Self
    where
        B: CascadeStore
            + Idempotency
            + Outbox
            + ReceiptInbox
            + Registry
            + MessageLog
            + Suppressions
            + AuditLog
            + UsageLog
            + InboundLog
            + Batches
            + Erasure
            + 'static,
    {
        let (cascades, claims, outbox) = (Arc::clone(backend), Arc::clone(backend), Arc::clone(backend));
        let (parked, registry, log) = (Arc::clone(backend), Arc::clone(backend), Arc::clone(backend));
        let (suppressions, audit, usage) = (Arc::clone(backend), Arc::clone(backend), Arc::clone(backend));
        let (inbound, batches, erasure) = (Arc::clone(backend), Arc::clone(backend), Arc::clone(backend));
        Self {
            cascades,
            claims,
            outbox,
            parked,
            registry,
            log,
            suppressions,
            audit,
            usage,
            inbound,
            batches,
            erasure,
        }
    }
}
