//! Tenants.

use std::sync::Arc;

use hermes_domain::{TenantId, tenant::Tenant};
use hermes_ports::registry::RecordKind;

use crate::{
    directory::{Directory, body, expect_version, record},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

impl Directory {
    /// A tenant.
    pub fn tenant(&self, id: TenantId) -> Option<Arc<Tenant>> {
        self.read(|snapshot| snapshot.tenant(id).map(|tenant| Arc::clone(&tenant.value)))
    }

    /// Adds a tenant and returns its version.
    ///
    /// # Errors
    /// `Conflict` when the id exists; `Store`.
    pub async fn create_tenant(&self, tenant: Tenant) -> Result<u64, DirectoryError> {
        self.put_tenant(tenant, Some(0)).await
    }

    /// Replaces a tenant that is at version `expected` (any, if `None`) by what `change` makes of it.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn update_tenant(
        &self,
        id: TenantId,
        expected: Option<u64>,
        change: impl FnOnce(&mut Tenant) + Send,
    ) -> Result<Versioned<Tenant>, DirectoryError> {
        let stored = self.read(|snapshot| expect_version(snapshot.tenant(id), expected).cloned())?;
        let mut tenant = Tenant::clone(&stored.value);
        change(&mut tenant);
        let version = self.put_tenant(tenant.clone(), Some(stored.version)).await?;
        Ok(Versioned { value: Arc::new(tenant), version })
    }

    /// Suspends or resumes a tenant: while suspended its sends are refused.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn set_suspended(
        &self,
        id: TenantId,
        suspended: bool,
    ) -> Result<Versioned<Tenant>, DirectoryError> {
        self.update_tenant(id, None, |tenant| tenant.suspended = suspended).await
    }

    async fn put_tenant(&self, tenant: Tenant, expected: Option<u64>) -> Result<u64, DirectoryError> {
        let record = record(RecordKind::Tenant, tenant.id.to_string(), &tenant, None);
        let apply = |snapshot: &mut Snapshot, version| {
            let stored = Versioned { value: Arc::new(tenant), version };
            Arc::make_mut(&mut snapshot.tenants).insert(stored.value.id, stored);
        };
        self.write(record, expected, |_| Ok(()), apply).await
    }

    pub(crate) async fn load_tenants(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let tenants = Arc::make_mut(&mut next.tenants);
        for record in self.registry.all(RecordKind::Tenant).await? {
            let tenant: Tenant = body(&record)?;
            tenants.insert(tenant.id, Versioned { value: Arc::new(tenant), version: record.version });
        }
        Ok(())
    }
}
