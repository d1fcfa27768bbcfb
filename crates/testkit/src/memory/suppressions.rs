//! Addresses that a tenant must not write to.

use async_trait::async_trait;
use hermes_ports::{
    StoreError, Suppressions,
    suppressions::{SuppressedAddress, Suppression, SuppressionReason},
};

use super::MemoryBackend;

#[async_trait]
impl Suppressions for MemoryBackend {
    async fn suppress(&self, address: SuppressedAddress, rule: Suppression) -> Result<(), StoreError> {
        self.tables.lock().suppressions.entry(address).or_insert(rule);
        Ok(())
    }

    async fn consent(&self, address: SuppressedAddress) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        let own_words = |rule: &Suppression| rule.reason == SuppressionReason::OptOut;
        if tables.suppressions.get(&address).is_some_and(own_words) {
            tables.suppressions.remove(&address);
        }
        Ok(())
    }

    async fn find(&self, address: SuppressedAddress) -> Result<Option<Suppression>, StoreError> {
        Ok(self.tables.lock().suppressions.get(&address).copied())
    }
}
