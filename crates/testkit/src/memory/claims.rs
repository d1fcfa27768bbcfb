//! Idempotency keys.

use async_trait::async_trait;
use hermes_domain::{TenantId, UnixMillis, message::Mode};
use hermes_ports::{Idempotency, StoreError, idempotency::Claim};

use super::{MemoryBackend, Tables};

#[async_trait]
impl Idempotency for MemoryBackend {
    async fn find(
        &self,
        tenant: TenantId,
        mode: Mode,
        key: &str,
        now: UnixMillis,
    ) -> Result<Option<Claim>, StoreError> {
        let tables = self.tables.lock();
        let found = tables.claims.get(&(tenant, mode, key.to_owned()));
        Ok(found.filter(|claim| claim.expires_at > now).cloned())
    }

    async fn save(&self, claim: Claim) -> Result<(), StoreError> {
        let mut tables = self.tables.lock();
        if tables.held_claim(&claim, self.now()).is_some() {
            return Err(StoreError::ClaimTaken);
        }
        tables.put_claim(claim);
        Ok(())
    }
}

impl Tables {
    /// The claim that holds the same key at `now`.
    pub(super) fn held_claim(&self, claim: &Claim, now: UnixMillis) -> Option<&Claim> {
        let held = self.claims.get(&(claim.tenant, claim.mode, claim.key.clone()))?;
        (held.expires_at > now).then_some(held)
    }

    pub(super) fn put_claim(&mut self, claim: Claim) {
        self.claims.insert((claim.tenant, claim.mode, claim.key.clone()), claim);
    }
}
