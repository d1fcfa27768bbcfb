//! Lists of messages.

use async_trait::async_trait;
use hermes_domain::{AttemptRef, ConnectionId};
use hermes_ports::{MessageLog, StoreError, cascade_store::StoredCascade, message_log::MessageQuery};

use super::{MemoryBackend, Row};

#[async_trait]
impl MessageLog for MemoryBackend {
    async fn list(&self, query: MessageQuery) -> Result<Vec<StoredCascade>, StoreError> {
        let tables = self.tables.lock();
        let wanted = |row: &&Row| {
            query.matches(&row.stored.envelope, row.stored.state.status())
                && query.before.is_none_or(|before| row.stored.envelope.id < before)
        };
        let newest_first = tables.cascades.values().rev().filter(wanted);
        Ok(newest_first.take(query.limit + 1).map(|row| row.stored.clone()).collect())
    }

    async fn find_by_provider_id(
        &self,
        connection: ConnectionId,
        provider_message_id: &str,
    ) -> Result<Option<AttemptRef>, StoreError> {
        let tables = self.tables.lock();
        let attempt = |row: &Row| {
            let (envelope, state) = (&row.stored.envelope, &row.stored.state);
            let attempt = state.attempt_known_as(envelope, connection, provider_message_id)?;
            Some(AttemptRef { message: envelope.id, attempt })
        };
        Ok(tables.cascades.values().rev().find_map(attempt))
    }
}
