//! Addresses that a tenant must not write to.

use async_trait::async_trait;
use hermes_domain::{
    SuppressionId, TenantId,
    message::Mode,
    suppression::{Coverage, OptOutScope, SenderKey, Suppression, SuppressionReason, SuppressionSource},
    tenant::TenantScope,
};
use hermes_ports::{
    StoreError, Suppressions,
    suppressions::{Added, StoredSuppression, SuppressedAddress, SuppressionChange, SuppressionQuery},
};

use super::{MemoryBackend, Tables};

#[async_trait]
impl Suppressions for MemoryBackend {
    async fn add(&self, rules: Vec<Suppression>) -> Result<Vec<Added>, StoreError> {
        let mut tables = self.tables.lock();
        Ok(rules.into_iter().map(|rule| add(&mut tables, rule)).collect())
    }

    async fn get(
        &self,
        tenant: TenantId,
        mode: Mode,
        id: SuppressionId,
    ) -> Result<Option<StoredSuppression>, StoreError> {
        let tables = self.tables.lock();
        let own = |stored: &&StoredSuppression| (stored.rule.tenant, stored.rule.mode) == (tenant, mode);
        Ok(tables.suppressions.get(&id).filter(own).cloned())
    }

    async fn list(&self, query: SuppressionQuery) -> Result<Vec<StoredSuppression>, StoreError> {
        let tables = self.tables.lock();
        let newest_first = tables.suppressions.values().rev();
        let wanted = newest_first.filter(|stored| query.matches(&stored.rule)).take(query.limit);
        Ok(wanted.cloned().collect())
    }

    async fn update(
        &self,
        scope: TenantScope,
        id: SuppressionId,
        expected: Option<u64>,
        change: SuppressionChange,
    ) -> Result<Option<StoredSuppression>, StoreError> {
        let mut tables = self.tables.lock();
        let Some(stored) = at_version(&mut tables, scope, id, expected)? else { return Ok(None) };
        stored.version += 1;
        stored.rule.note = change.note.unwrap_or_else(|| stored.rule.note.take());
        stored.rule.expires_at = change.expires_at.unwrap_or(stored.rule.expires_at);
        Ok(Some(stored.clone()))
    }

    async fn delete(
        &self,
        scope: TenantScope,
        id: SuppressionId,
        expected: Option<u64>,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables.lock();
        let found = at_version(&mut tables, scope, id, expected)?.is_some();
        if found {
            tables.suppressions.remove(&id);
        }
        Ok(found)
    }

    async fn lift(&self, of: SuppressedAddress, sender: Option<SenderKey>) -> Result<(), StoreError> {
        let covers = Coverage::exactly(of.channel, &of.address);
        let own_words = |rule: &Suppression| {
            (rule.tenant, rule.mode, &rule.covers) == (of.tenant, of.mode, &covers)
                && rule.channel == Some(of.channel)
                && rule.reason == SuppressionReason::OptOut
                && rule.source.is_the_recipients_word()
                && (rule.sender.is_none() || rule.sender == sender)
        };
        self.tables.lock().suppressions.retain(|_, stored| !own_words(&stored.rule));
        Ok(())
    }

    fn may_cover(&self, of: &SuppressedAddress) -> bool {
        self.tables.lock().suppressions.values().any(|stored| concerns(&stored.rule, of))
    }

    async fn covering(&self, of: &SuppressedAddress) -> Result<Vec<Suppression>, StoreError> {
        let tables = self.tables.lock();
        let rules = tables.suppressions.values().map(|stored| &stored.rule);
        Ok(rules.filter(|rule| concerns(rule, of)).cloned().collect())
    }

    async fn opt_out_scope(&self, tenant: TenantId, mode: Mode) -> Result<OptOutScope, StoreError> {
        Ok(self.tables.lock().opt_out_scopes.get(&(tenant, mode)).copied().unwrap_or_default())
    }

    async fn set_opt_out_scope(
        &self,
        tenant: TenantId,
        mode: Mode,
        scope: OptOutScope,
    ) -> Result<(), StoreError> {
        self.tables.lock().opt_out_scopes.insert((tenant, mode), scope);
        Ok(())
    }
}

fn concerns(rule: &Suppression, of: &SuppressedAddress) -> bool {
    (rule.tenant, rule.mode) == (of.tenant, of.mode)
        && rule.channel.is_none_or(|channel| channel == of.channel)
        && rule.covers.covers(of.channel, &of.address)
}

fn add(tables: &mut Tables, rule: Suppression) -> Added {
    let says_the_same = |other: &Suppression| {
        (other.tenant, other.mode, &other.covers, other.channel, &other.sender)
            == (rule.tenant, rule.mode, &rule.covers, rule.channel, &rule.sender)
            && other.reason == rule.reason
            && (other.source == rule.source || rule.source == SuppressionSource::Import)
    };
    let same = tables.suppressions.values().map(|stored| &stored.rule).filter(|other| says_the_same(other));
    let found = same.min_by_key(|other| other.expires_at.is_some_and(|end| end <= rule.created_at));
    match found.map(|other| (other.id, other.is_expired(rule.created_at))) {
        Some((id, false)) => return Added::Stands(id),
        Some((id, true)) => drop(tables.suppressions.remove(&id)),
        None => {}
    }
    tables.suppressions.insert(rule.id, StoredSuppression { rule, version: 1 });
    Added::New
}

fn at_version(
    tables: &mut Tables,
    TenantScope { tenant, mode }: TenantScope,
    id: SuppressionId,
    expected: Option<u64>,
) -> Result<Option<&mut StoredSuppression>, StoreError> {
    let own = |stored: &&mut StoredSuppression| (stored.rule.tenant, stored.rule.mode) == (tenant, mode);
    match tables.suppressions.get_mut(&id).filter(own) {
        Some(stored) if expected.is_some_and(|expected| expected != stored.version) => {
            Err(StoreError::Conflict)
        }
        found => Ok(found),
    }
}
