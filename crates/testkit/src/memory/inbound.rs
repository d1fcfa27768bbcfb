//! What people have written.

use async_trait::async_trait;
use hermes_domain::{InboundId, TenantId};
use hermes_ports::{
    InboundLog, StoreError,
    inbound_log::{INBOUND_MAX, InboundEntry, InboundQuery},
};

use super::MemoryBackend;

/// In order of arrival; tenants may share an id.
pub(super) type Key = (InboundId, TenantId, &'static str);

fn key(entry: &InboundEntry) -> Key {
    (entry.id, entry.scope.tenant, entry.scope.mode.as_str())
}

#[async_trait]
impl InboundLog for MemoryBackend {
    async fn keep(&self, entry: InboundEntry, digest: [u8; 32]) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        if tables.inbound.values().any(|(known, of)| *of == digest && known.scope == entry.scope) {
            return Ok(());
        }
        let scope = entry.scope;
        tables.inbound.insert(key(&entry), (entry, digest));
        let own = tables.inbound.values().filter(|(entry, _)| entry.scope == scope);
        let own: Vec<_> = own.map(|(entry, _)| key(entry)).collect();
        for oldest in own.iter().take(own.len().saturating_sub(INBOUND_MAX)) {
            tables.inbound.remove(oldest);
        }
        Ok(())
    }

    async fn newest(&self, query: InboundQuery) -> Result<Vec<InboundEntry>, StoreError> {
        let tables = self.tables.lock();
        let newest_first = tables.inbound.values().rev().map(|(entry, _)| entry);
        Ok(newest_first.filter(|entry| query.matches(entry)).take(query.limit).cloned().collect())
    }

    async fn discard_all(&self, tenant: TenantId) -> Result<(), StoreError> {
        self.tables.lock().inbound.retain(|_, (entry, _)| entry.scope.tenant != tenant);
        Ok(())
    }
}
