//! Erasing recipients: what is personal is dropped. Rules keep their addresses; nothing here outlives the process.

use std::sync::Arc;

use async_trait::async_trait;
use hermes_domain::{
    MessageId, UnixMillis, address::Recipient, content::Content, message::Envelope,
    recipient_address::RecipientAddress, tenant::TenantScope,
};
use hermes_ports::{Erasure, StoreError, erasure::Erased, inbound_log::InboundEntry};

use super::MemoryBackend;

#[async_trait]
impl Erasure for MemoryBackend {
    async fn open_messages(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<MessageId>, StoreError> {
        let tables = self.tables.lock();
        let rows = tables.cascades.values().rev();
        let open = rows.filter(|row| row.open.is_some() && is_to(&row.stored.envelope, scope, address));
        let ids = open.map(|row| row.stored.envelope.id);
        Ok(ids.filter(|id| before.is_none_or(|before| *id < before)).take(limit).collect())
    }

    async fn erase(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        at: UnixMillis,
    ) -> Result<Erased, StoreError> {
        let mut erased = Erased::default();
        let mut tables = self.tables.lock();
        for row in tables.cascades.values_mut().rev() {
            if !is_to(&row.stored.envelope, scope, address) {
                continue;
            }
            row.stored.envelope = Arc::new(Envelope {
                to: Recipient::default(),
                content: Content::default(),
                metadata: std::collections::BTreeMap::new(),
                warnings: Vec::new(),
                erased_at: Some(at),
                ..Envelope::clone(&row.stored.envelope)
            });
            erased.messages += 1;
            erased.open.extend(row.open.map(|open| open.id));
        }
        let wrote = |entry: &InboundEntry| {
            let from = entry.from.as_ref().map(|from| RecipientAddress::on(entry.channel, from));
            entry.scope == scope && from.as_ref() == Some(address)
        };
        for (entry, _) in tables.inbound.values_mut().filter(|(entry, _)| wrote(entry)) {
            entry.from = None;
        }
        Ok(erased)
    }
}

fn is_to(envelope: &Envelope, scope: TenantScope, address: &RecipientAddress) -> bool {
    envelope.scope() == scope && RecipientAddress::all_of(&envelope.to).contains(address)
}
