//! Tenants.

use std::sync::Arc;

use hermes_domain::{
    CascadeTemplateId, ConnectionId, EndpointId, KeyId, RouteId, SenderId, TemplateId, TenantId,
    message::Mode,
    tenant::{Tenant, TenantScope},
};
use hermes_ports::registry::RecordKind;

use crate::{
    directory::{Directory, body, expect_version, record},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

/// How often a tenant that is given something meanwhile is emptied anew.
const DELETE_TRIES: usize = 3;

/// Something that goes with its tenant.
#[derive(Clone, Copy)]
enum Belonging {
    Key(KeyId),
    Endpoint(EndpointId),
    Cascade(TenantScope, CascadeTemplateId),
    Template(TenantScope, TemplateId),
    Route(RouteId),
    Sender(TenantScope, SenderId),
    Connection(ConnectionId),
}

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

    /// Removes a tenant with everything that is its own: keys first, so that nothing new comes, then endpoints, stored
    /// cascades and connections, the tenant last. After a failure in between it may be repeated.
    ///
    /// # Errors
    /// `NotFound`; `Conflict` when somebody keeps adding to it; `Store`.
    pub async fn delete_tenant(&self, id: TenantId) -> Result<(), DirectoryError> {
        for _ in 0..DELETE_TRIES {
            self.delete_belongings(id).await?;
            let check = |snapshot: &Snapshot| match belongings(snapshot, id).is_empty() {
                true => Ok(()),
                false => Err(DirectoryError::Conflict),
            };
            let apply = |snapshot: &mut Snapshot| {
                Arc::make_mut(&mut snapshot.tenants).remove(&id);
            };
            match self.erase(RecordKind::Tenant, &id.to_string(), check, apply).await {
                Err(DirectoryError::Conflict) => {} // Somebody has just given it something.
                done => return done,
            }
        }
        Err(DirectoryError::Conflict)
    }

    async fn delete_belongings(&self, id: TenantId) -> Result<(), DirectoryError> {
        for belonging in belongings(&self.snapshot(), id) {
            let deleted = match belonging {
                Belonging::Key(id) => self.delete_key(id).await,
                Belonging::Endpoint(id) => self.delete_endpoint(id, None).await,
                Belonging::Cascade(scope, id) => self.delete_cascade(scope, id, None).await,
                Belonging::Template(scope, id) => self.delete_template(scope, id, None).await,
                Belonging::Route(id) => self.delete_route(id, None).await,
                Belonging::Sender(scope, id) => self.delete_sender(scope, id, None).await,
                Belonging::Connection(id) => self.delete_connection(id).await,
            };
            match deleted {
                Err(DirectoryError::NotFound) => {} // Somebody else was faster.
                deleted => deleted?,
            }
        }
        Ok(())
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

/// What is `tenant`'s own, keys first.
fn belongings(snapshot: &Snapshot, tenant: TenantId) -> Vec<Belonging> {
    let keys = snapshot.keys_of(Some(tenant)).into_iter().map(|entry| Belonging::Key(entry.key.id));
    let endpoints = snapshot.endpoints().filter(|entry| entry.endpoint.tenant == tenant);
    let endpoints = endpoints.map(|entry| Belonging::Endpoint(entry.endpoint.id));
    let modes = [Mode::Live, Mode::Test].into_iter();
    let routes = modes.clone().flat_map(|mode| snapshot.routes_of(tenant, mode));
    let routes = routes.map(|stored| Belonging::Route(stored.value.id));
    let cascades = modes.clone().flat_map(|mode| snapshot.cascades_of(tenant, mode));
    let cascades = cascades.map(|stored| Belonging::Cascade(stored.value.scope(), stored.value.id));
    let senders = modes.clone().flat_map(|mode| snapshot.senders_of(TenantScope::new(tenant, mode)));
    let senders = senders.map(|stored| {
        Belonging::Sender(TenantScope::new(stored.value.tenant, stored.value.mode), stored.value.id)
    });
    let scopes = modes.map(|mode| TenantScope::new(tenant, mode));
    let templates = scopes.flat_map(|scope| {
        let all = snapshot.templates_of(scope).into_iter();
        all.map(move |entry| Belonging::Template(scope, entry.template.id))
    });
    let connections = snapshot.connections().map(|entry| &entry.access.connection);
    let connections = connections.filter(|connection| connection.tenant == Some(tenant));
    let connections = connections.map(|connection| Belonging::Connection(connection.id));
    keys.chain(endpoints)
        .chain(cascades)
        .chain(templates)
        .chain(routes)
        .chain(senders)
        .chain(connections)
        .collect()
}
