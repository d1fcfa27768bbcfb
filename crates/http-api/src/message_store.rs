//! Messages as requests may read them: a tenant's own, or any for who may look across tenants.

use std::sync::Arc;

use hermes_domain::{MessageId, tenant::TenantScope};
use hermes_ports::{CascadeStore, StoreError, cascade_store::StoredCascade};

/// The store of messages. It gives out none without saying for whom.
#[derive(Debug, Clone)]
pub struct MessageStore(Arc<dyn CascadeStore>);

/// Whoever may read any tenant's messages. A tenant's request has nothing that does.
pub(crate) trait AcrossTenants {}

impl MessageStore {
    /// Over the store of cascades.
    pub fn new(store: Arc<dyn CascadeStore>) -> Self {
        Self(store)
    }

    /// A message, if it is there and in this scope.
    pub(crate) async fn load(
        &self,
        scope: TenantScope,
        id: MessageId,
    ) -> Result<Option<StoredCascade>, StoreError> {
        let stored = self.0.load(id).await?;
        Ok(stored.filter(|stored| stored.envelope.scope() == scope))
    }

    /// A message, whosever it is.
    pub(crate) async fn load_any(
        &self,
        _: &impl AcrossTenants,
        id: MessageId,
    ) -> Result<Option<StoredCascade>, StoreError> {
        self.0.load(id).await
    }

    pub(crate) async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}
