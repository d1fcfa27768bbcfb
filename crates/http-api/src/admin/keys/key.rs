//! A key as operators see it.

use hermes_directory::KeyEntry;
use hermes_domain::{
    UnixMillis,
    access::Role,
    tenant::{ApiKey, KeyOwner},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(in crate::admin) struct KeyView {
    /// Its id.
    id: String,
    /// For people.
    name: String,
    /// `live` or `test`; null for operators' keys.
    mode: Option<&'static str>,
    /// What a tenant's key may do; empty: everything.
    scopes: Vec<&'static str>,
    /// What an operator's key may do; null for tenants' keys.
    role: Option<&'static str>,
    /// How it begins and ends, to recognise it by; null when it was not made by Hermes.
    hint: Option<String>,
    /// When a request last came with it, to the minute; null: never.
    last_used_at: Option<String>,
    /// Refused from then on.
    expires_at: Option<String>,
    /// When it was made.
    created_at: String,
}

/// A key with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeyWithSecret)]
pub(in crate::admin) struct KeyCreated {
    #[serde(flatten)]
    view: KeyView,
    /// The key itself, shown only now; repetitions of this reply do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl KeyView {
    pub(in crate::admin) fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            mode: match key.owner {
                KeyOwner::Tenant(_, mode) => Some(mode.as_str()),
                KeyOwner::Operator => None,
            },
            scopes: key.scopes.names(),
            role: key.operator_role().map(Role::as_str),
            hint: key.hint.clone(),
            last_used_at: None,
            expires_at: key.expires_at.map(UnixMillis::rfc3339),
            created_at: key.created_at.rfc3339(),
        }
    }
}

impl KeyView {
    /// As it is listed.
    pub(in crate::admin) fn listed(entry: &KeyEntry) -> Self {
        Self { last_used_at: entry.last_used_at().map(UnixMillis::rfc3339), ..Self::of(&entry.key) }
    }
}

impl KeyCreated {
    pub(in crate::admin) fn of(key: &ApiKey, secret: String) -> Self {
        Self { view: KeyView::of(key), key: Some(secret) }
    }
}
