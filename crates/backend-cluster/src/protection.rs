//! Erasing recipients, and letting go of messages, where cascades are in NATS.
//!
//! Data keys, and rows about every message, are in a companion. What is done there is done here first: earlier messages are
//! sealed, rows that a crash has left out are recorded, and no message is on its way between the two stores.

use std::sync::Arc;

use async_trait::async_trait;
use hermes_domain::{
    MessageId, UnixMillis,
    message::Envelope,
    policy::{Kept, Retention},
    recipient_address::RecipientAddress,
    tenant::TenantScope,
};
use hermes_ports::{Copies, Erasure, Retain, StoreError, erasure::Erased, retention::Retained};

use crate::NatsCascadeStore;

/// A companion's erasure, which reaches NATS because the keys are the companion's.
#[derive(Debug)]
pub struct NatsErasure {
    store: Arc<NatsCascadeStore>,
    companion: Arc<dyn Erasure>,
}

impl NatsErasure {
    /// `companion` erases the recipients of the vault that seals for `store`.
    pub fn new(store: Arc<NatsCascadeStore>, companion: Arc<dyn Erasure>) -> Self {
        Self { store, companion }
    }
}

#[async_trait]
impl Erasure for NatsErasure {
    async fn open_messages(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<MessageId>, StoreError> {
        self.store.settle().await?;
        self.companion.open_messages(scope, address, before, limit).await
    }

    async fn erase(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        at: UnixMillis,
    ) -> Result<Erased, StoreError> {
        let _nothing_on_its_way = self.store.quiet().await?;
        self.companion.erase(scope, address, at).await
    }
}

/// A companion's retention, with the copies in NATS.
#[derive(Debug)]
pub struct NatsRetention {
    store: Arc<NatsCascadeStore>,
    companion: Arc<dyn Retain>,
}

impl NatsRetention {
    /// `companion` keeps the rows of the messages in `store`.
    pub fn new(store: Arc<NatsCascadeStore>, companion: Arc<dyn Retain>) -> Self {
        Self { store, companion }
    }
}

#[async_trait]
impl Retain for NatsRetention {
    async fn retain(
        &self,
        scope: TenantScope,
        rules: &Retention,
        _: &dyn Copies,
    ) -> Result<Retained, StoreError> {
        self.companion.retain(scope, rules, &*self.store).await
    }

    async fn drop_keys(&self) -> Result<u64, StoreError> {
        let _nothing_on_its_way = self.store.quiet().await?;
        self.companion.drop_keys().await
    }
}

#[async_trait]
impl Copies for NatsCascadeStore {
    async fn let_go(&self, what: Kept, messages: &[Arc<Envelope>], at: UnixMillis) -> Result<(), StoreError> {
        self.let_go_of(what, messages, at).await
    }
}
