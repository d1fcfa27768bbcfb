//! Tenants' rules for routing, in their order.

use std::{collections::HashMap, sync::Arc};

use hermes_domain::{RouteId, TenantId, UnixMillis, message::Mode, routing::RouteRule, tenant::TenantScope};
use hermes_ports::registry::RecordKind;
use serde::{Deserialize, Serialize};

use crate::{
    directory::{Directory, body, expect_version, record},
    error::DirectoryError,
    snapshot::{Snapshot, Versioned},
};

/// Most rules of one tenant and mode: each is looked at for each step.
pub const ROUTES_MAX: usize = 200;

/// A rule with its place.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StoredRoute {
    /// Which.
    pub id: RouteId,
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// For people.
    pub name: String,
    /// Rules are asked from the smallest on; equal ones by age.
    pub position: u32,
    /// What it asks for.
    pub rule: RouteRule,
    /// When it was made.
    pub created_at: UnixMillis,
    /// Last change.
    pub updated_at: UnixMillis,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct RouteTable {
    by_id: HashMap<RouteId, Versioned<StoredRoute>>,
    /// In the order in which they are asked.
    by_owner: HashMap<(TenantId, Mode), Arc<[RouteRule]>>,
}

impl RouteTable {
    fn insert(&mut self, stored: Versioned<StoredRoute>) {
        let owner = (stored.value.tenant, stored.value.mode);
        self.by_id.insert(stored.value.id, stored);
        self.order(owner);
    }

    fn remove(&mut self, id: RouteId) {
        if let Some(stored) = self.by_id.remove(&id) {
            self.order((stored.value.tenant, stored.value.mode));
        }
    }

    fn of(&self, owner: (TenantId, Mode)) -> impl Iterator<Item = &Versioned<StoredRoute>> {
        self.by_id.values().filter(move |stored| (stored.value.tenant, stored.value.mode) == owner)
    }

    fn order(&mut self, owner: (TenantId, Mode)) {
        let mut routes: Vec<_> = self.of(owner).map(|stored| Arc::clone(&stored.value)).collect();
        routes.sort_by_key(|route| (route.position, route.id));
        self.by_owner.insert(owner, routes.iter().map(|route| route.rule.clone()).collect());
    }
}

impl Snapshot {
    /// Rules of a tenant, in the order in which they are asked.
    pub fn route_rules(&self, tenant: TenantId, mode: Mode) -> &[RouteRule] {
        self.routes.by_owner.get(&(tenant, mode)).map_or(&[], |rules| rules)
    }

    /// A tenant's rules with their places, newest first.
    pub fn routes_of(&self, tenant: TenantId, mode: Mode) -> Vec<Versioned<StoredRoute>> {
        let mut all: Vec<_> = self.routes.of((tenant, mode)).cloned().collect();
        all.sort_by_key(|stored| std::cmp::Reverse(stored.value.id));
        all
    }
}

impl Directory {
    /// A rule of `scope` with its version.
    pub fn route(&self, scope: TenantScope, id: RouteId) -> Option<Versioned<StoredRoute>> {
        let stored = self.read(|snapshot| snapshot.routes.by_id.get(&id).cloned());
        stored.filter(|stored| TenantScope::new(stored.value.tenant, stored.value.mode) == scope)
    }

    /// Adds a rule and returns its version.
    ///
    /// # Errors
    /// `Full` when the tenant has [`ROUTES_MAX`]; `Conflict` when the id exists; `Store`.
    pub async fn create_route(&self, route: StoredRoute) -> Result<u64, DirectoryError> {
        self.put_route(route, Some(0)).await
    }

    /// Replaces a rule that is at version `expected` (any, if `None`).
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn update_route(
        &self,
        route: StoredRoute,
        expected: Option<u64>,
    ) -> Result<u64, DirectoryError> {
        let stored = self.read(|snapshot| {
            expect_version(snapshot.routes.by_id.get(&route.id), expected).map(|stored| stored.version)
        })?;
        self.put_route(route, Some(stored)).await
    }

    /// Removes a rule that is at version `expected` (any, if `None`). Messages that run keep their plan.
    ///
    /// # Errors
    /// `NotFound`, `Conflict`, `Store`.
    pub async fn delete_route(&self, id: RouteId, expected: Option<u64>) -> Result<(), DirectoryError> {
        let check = |snapshot: &Snapshot| expect_version(snapshot.routes.by_id.get(&id), expected).map(drop);
        let apply = |snapshot: &mut Snapshot| Arc::make_mut(&mut snapshot.routes).remove(id);
        self.erase(RecordKind::Route, &id.to_string(), check, apply).await
    }

    async fn put_route(&self, route: StoredRoute, expected: Option<u64>) -> Result<u64, DirectoryError> {
        let record = record(RecordKind::Route, route.id.to_string(), &route, None);
        let owner = (route.tenant, route.mode);
        let check = move |snapshot: &Snapshot| {
            let full = expected == Some(0) && snapshot.routes.of(owner).count() >= ROUTES_MAX;
            if full { Err(DirectoryError::Full { what: "rules", most: ROUTES_MAX }) } else { Ok(()) }
        };
        let apply = |snapshot: &mut Snapshot, version| {
            let stored = Versioned { value: Arc::new(route), version };
            Arc::make_mut(&mut snapshot.routes).insert(stored);
        };
        self.write(record, expected, check, apply).await
    }

    pub(crate) async fn load_routes(&self, next: &mut Snapshot) -> Result<(), DirectoryError> {
        let routes = Arc::make_mut(&mut next.routes);
        for record in self.registry.all(RecordKind::Route).await? {
            let route: StoredRoute = body(&record)?;
            routes.insert(Versioned { value: Arc::new(route), version: record.version });
        }
        Ok(())
    }
}
