//! A tenant: how it is read from requests, found, and shown.

use hermes_directory::Versioned;
use hermes_domain::{
    CascadeTemplateId, TenantId,
    message::Mode,
    policy::TenantPolicy,
    tenant::{Tenant, TenantScope},
};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{
    api::Api,
    messages::{cascade::cascade, confirming},
    problem::Problem,
    schema::{Faults, id},
};

/// A tenant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Tenant)]
pub(super) struct TenantView {
    /// Its id.
    id: String,
    /// For people.
    name: String,
    /// Its sends are refused while true.
    suspended: bool,
    /// Used by messages that name no cascade: a cascade, or the id of a stored one.
    #[schema(value_type = Option<Value>)]
    default_cascade: Option<Value>,
    /// What it may send, where to, when, and how much of it; what is absent is allowed.
    #[schema(value_type = Object)]
    policy: TenantPolicy,
    /// When it was made.
    created_at: String,
}

impl TenantView {
    pub(super) fn of(tenant: &Tenant) -> Self {
        Self {
            id: tenant.id.to_string(),
            name: tenant.name.clone(),
            suspended: tenant.suspended,
            default_cascade: tenant.default_cascade.clone(),
            policy: tenant.policy.clone(),
            created_at: tenant.created_at.rfc3339(),
        }
    }
}

/// A tenant by the id in a path.
pub(in crate::admin) fn find(api: &Api, id: &str) -> Result<Versioned<Tenant>, Problem> {
    let id = id.parse().map_err(|_| Problem::not_found())?;
    api.directory().read(|snapshot| snapshot.tenant(id).cloned()).ok_or_else(Problem::not_found)
}

/// Reads a default cascade; it is kept as it was written.
pub(super) fn default_cascade(
    api: &Api,
    tenant: TenantId,
) -> impl FnOnce(Value, &mut Faults) -> Option<Value> {
    move |value, faults| {
        if value.is_string() {
            let stored: Option<CascadeTemplateId> = id(value.clone(), faults);
            return stored.map(|_| value);
        }
        let read = cascade(value.clone(), faults)?;
        let (adapters, scopes) =
            (&*api.ports.adapters, [Mode::Live, Mode::Test].map(|mode| TenantScope::new(tenant, mode)));
        api.directory().read(|snapshot| confirming::check(snapshot, adapters, &scopes, &read, faults));
        Some(value)
    }
}
