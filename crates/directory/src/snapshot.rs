//! What the directory knows, as one immutable value.

use std::{collections::HashMap, sync::Arc};

use hermes_domain::{
    CascadeTemplateId, ConnectionId, EndpointId, TemplateId, TenantId, UnixMillis,
    connection::Connection,
    message::Mode,
    tenant::{ApiKey, Endpoint, Tenant, TenantScope},
};
use hermes_ports::{adapter::ConnectionAccess, operational_events::Audience};

use crate::{
    cascades::CascadeTemplate,
    connections::ConnectionTerms,
    endpoints::SigningSecrets,
    key_hash::KeyHash,
    key_use::KeyUse,
    quotes::QuoteTable,
    rate_cards::RateCardTable,
    routes::RouteTable,
    senders::SenderTable,
    templates::{TemplateEntry, TemplateTable},
};

/// A record with the version it has in the registry; the version is the record's `ETag`.
#[derive(Debug)]
pub struct Versioned<T> {
    /// The record.
    pub value: Arc<T>,
    /// Grows with every change.
    pub version: u64,
}

impl<T> Clone for Versioned<T> {
    fn clone(&self) -> Self {
        Self { value: Arc::clone(&self.value), version: self.version }
    }
}

/// A key as the directory keeps it.
#[derive(Clone, Debug)]
pub struct KeyEntry {
    /// The key.
    pub key: Arc<ApiKey>,
    pub(crate) used: Arc<KeyUse>,
}

impl KeyEntry {
    pub(crate) fn new(key: ApiKey, used: Arc<KeyUse>) -> Self {
        Self { key: Arc::new(key), used }
    }

    /// When a request last came with it, as far as this process knows; `None`: never.
    pub fn last_used_at(&self) -> Option<UnixMillis> {
        self.used.last()
    }
}

/// A connection as the directory keeps it.
#[derive(Clone, Debug)]
pub struct ConnectionEntry {
    /// The connection with its decrypted credentials.
    pub access: ConnectionAccess,
    /// Prices and countries.
    pub terms: Arc<ConnectionTerms>,
    /// Version in the registry.
    pub version: u64,
}

/// A webhook endpoint as the directory keeps it.
#[derive(Clone, Debug)]
pub struct EndpointEntry {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// What its notifications are signed with.
    pub secrets: Arc<SigningSecrets>,
    /// Version in the registry.
    pub version: u64,
}

/// Everything the directory knows at one moment. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    pub(crate) tenants: Arc<HashMap<TenantId, Versioned<Tenant>>>,
    pub(crate) keys: Arc<HashMap<KeyHash, KeyEntry>>,
    pub(crate) connections: Arc<ConnectionTable>,
    pub(crate) endpoints: Arc<EndpointTable>,
    pub(crate) routes: Arc<RouteTable>,
    pub(crate) senders: Arc<SenderTable>,
    pub(crate) rate_cards: Arc<RateCardTable>,
    pub(crate) quotes: Arc<QuoteTable>,
    pub(crate) cascades: Arc<HashMap<CascadeTemplateId, Versioned<CascadeTemplate>>>,
    pub(crate) templates: Arc<TemplateTable>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionTable {
    by_id: HashMap<ConnectionId, ConnectionEntry>,
    /// By owner (`None`: shared by all) and mode, in order of creation.
    by_scope: HashMap<(Option<TenantId>, Mode), Vec<Arc<Connection>>>,
}

impl ConnectionTable {
    pub(crate) fn insert(&mut self, entry: ConnectionEntry) {
        let connection = Arc::clone(&entry.access.connection);
        self.unlist(connection.id);
        let scope = self.by_scope.entry((connection.tenant, connection.mode)).or_default();
        let place = scope.partition_point(|other| other.id < connection.id);
        scope.insert(place, Arc::clone(&connection));
        self.by_id.insert(connection.id, entry);
    }

    pub(crate) fn remove(&mut self, id: ConnectionId) {
        self.unlist(id);
        self.by_id.remove(&id);
    }

    fn unlist(&mut self, id: ConnectionId) {
        let Some(old) = self.by_id.get(&id) else { return };
        let scope = (old.access.connection.tenant, old.access.connection.mode);
        if let Some(list) = self.by_scope.get_mut(&scope) {
            list.retain(|connection| connection.id != id);
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(crate) struct EndpointTable {
    by_id: HashMap<EndpointId, EndpointEntry>,
    by_owner: HashMap<(TenantId, Mode), Arc<[Arc<Endpoint>]>>,
}

impl EndpointTable {
    pub(crate) fn insert(&mut self, entry: EndpointEntry) {
        let owner = (entry.endpoint.tenant, entry.endpoint.mode);
        self.by_id.insert(entry.endpoint.id, entry);
        self.relist(owner);
    }

    pub(crate) fn remove(&mut self, id: EndpointId) {
        if let Some(entry) = self.by_id.remove(&id) {
            self.relist((entry.endpoint.tenant, entry.endpoint.mode));
        }
    }

    fn relist(&mut self, owner: (TenantId, Mode)) {
        let of_owner = |entry: &&EndpointEntry| (entry.endpoint.tenant, entry.endpoint.mode) == owner;
        let mut list: Vec<_> =
            self.by_id.values().filter(of_owner).map(|entry| Arc::clone(&entry.endpoint)).collect();
        list.sort_by_key(|endpoint| endpoint.id);
        if list.is_empty() {
            self.by_owner.remove(&owner);
        } else {
            self.by_owner.insert(owner, list.into());
        }
    }
}

impl Snapshot {
    /// A tenant.
    pub fn tenant(&self, id: TenantId) -> Option<&Versioned<Tenant>> {
        self.tenants.get(&id)
    }

    /// Every tenant, newest first.
    pub fn tenants(&self) -> Vec<Versioned<Tenant>> {
        let mut all: Vec<_> = self.tenants.values().cloned().collect();
        all.sort_by_key(|tenant| std::cmp::Reverse(tenant.value.id));
        all
    }

    /// API keys of one tenant, or of operators (`None`), newest first.
    pub fn keys_of(&self, tenant: Option<TenantId>) -> Vec<KeyEntry> {
        let owned = |entry: &&KeyEntry| crate::keys::tenant_of(&entry.key) == tenant;
        let mut all: Vec<_> = self.keys.values().filter(owned).cloned().collect();
        all.sort_by_key(|entry| std::cmp::Reverse(entry.key.id));
        all
    }

    /// A connection.
    pub fn connection(&self, id: ConnectionId) -> Option<&ConnectionEntry> {
        self.connections.by_id.get(&id)
    }

    /// Every connection, in no particular order.
    pub fn connections(&self) -> impl Iterator<Item = &ConnectionEntry> + Clone {
        self.connections.by_id.values()
    }

    /// Connections that messages of `tenant` in `mode` may use: its own first, then those shared by
    /// all, each group in order of creation.
    pub fn serving(&self, tenant: TenantId, mode: Mode) -> impl Iterator<Item = &Connection> + Clone {
        let scope = |owner| self.connections.by_scope.get(&(owner, mode)).map_or(&[][..], Vec::as_slice);
        scope(Some(tenant)).iter().chain(scope(None)).map(|connection| &**connection)
    }

    /// A webhook endpoint with its signing secrets.
    pub fn endpoint(&self, id: EndpointId) -> Option<&EndpointEntry> {
        self.endpoints.by_id.get(&id)
    }

    /// Every endpoint, in no particular order.
    pub fn endpoints(&self) -> impl Iterator<Item = &EndpointEntry> {
        self.endpoints.by_id.values()
    }

    /// Endpoints of a tenant in order of creation; `None` when it has none.
    pub fn endpoints_for(&self, tenant: TenantId, mode: Mode) -> Option<&Arc<[Arc<Endpoint>]>> {
        self.endpoints.by_owner.get(&(tenant, mode))
    }

    /// Endpoints of an audience, in no particular order; disabled ones too. None for a connection that is gone.
    pub fn audience(&self, audience: Audience) -> Vec<Arc<Endpoint>> {
        let (tenant, mode) = match audience {
            Audience::Tenant(tenant, mode) => (Some(tenant), mode),
            Audience::UsersOf(id) => {
                let Some(entry) = self.connection(id) else { return Vec::new() };
                (entry.access.connection.tenant, entry.access.connection.mode)
            }
        };
        if let Some(tenant) = tenant {
            return self.endpoints_for(tenant, mode).map(|list| list.to_vec()).unwrap_or_default();
        }
        let of_mode = self.endpoints.by_owner.iter().filter(|((_, of), _)| *of == mode);
        of_mode.flat_map(|(_, list)| list.iter().cloned()).collect()
    }

    /// A stored cascade, if it is in this scope.
    pub fn cascade(&self, scope: TenantScope, id: CascadeTemplateId) -> Option<&Versioned<CascadeTemplate>> {
        self.cascades.get(&id).filter(|stored| stored.value.scope() == scope)
    }

    /// Stored cascades of a tenant in one mode, newest first.
    pub fn cascades_of(&self, tenant: TenantId, mode: Mode) -> Vec<Versioned<CascadeTemplate>> {
        let owned =
            |stored: &&Versioned<CascadeTemplate>| stored.value.tenant == tenant && stored.value.mode == mode;
        let mut all: Vec<_> = self.cascades.values().filter(owned).cloned().collect();
        all.sort_by_key(|stored| std::cmp::Reverse(stored.value.id));
        all
    }

    /// A message template of `owner`.
    pub fn template(&self, owner: TenantScope, id: TemplateId) -> Option<&TemplateEntry> {
        self.templates.of(owner)?.by_id(id)
    }

    /// A message template of `owner` by its name.
    pub fn template_named(&self, owner: TenantScope, name: &str) -> Option<&TemplateEntry> {
        self.templates.of(owner)?.by_name(name)
    }

    /// Message templates of `owner`, newest first.
    pub fn templates_of(&self, owner: TenantScope) -> Vec<TemplateEntry> {
        let mut all: Vec<_> =
            self.templates.of(owner).into_iter().flat_map(|owned| owned.all()).cloned().collect();
        all.sort_by_key(|entry| std::cmp::Reverse(entry.template.id));
        all
    }
}
