//! A key as operators see it.

use hermes_domain::{
    UnixMillis,
    tenant::{ApiKey, KeyOwner},
};
use serde::Serialize;
use utoipa::ToSchema;

/// A key, without its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Key)]
pub(super) struct KeyView {
    /// Its id.
    id: String,
    /// For people.
    name: String,
    /// `live` or `test`; null for operators' keys.
    mode: Option<&'static str>,
    /// What it may do; empty: everything.
    scopes: Vec<String>,
    /// Refused from then on.
    expires_at: Option<String>,
    /// When it was made.
    created_at: String,
}

/// A key with its secret.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = KeyWithSecret)]
pub(super) struct KeyCreated {
    #[serde(flatten)]
    view: KeyView,
    /// The key itself, shown only now; repetitions of this reply do not have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<String>,
}

impl KeyView {
    pub(super) fn of(key: &ApiKey) -> Self {
        Self {
            id: key.id.to_string(),
            name: key.name.clone(),
            mode: match key.owner {
                KeyOwner::Tenant(_, mode) => Some(mode.as_str()),
                KeyOwner::Operator => None,
            },
            scopes: key.scopes.clone(),
            expires_at: key.expires_at.map(UnixMillis::rfc3339),
            created_at: key.created_at.rfc3339(),
        }
    }
}

impl KeyCreated {
    pub(super) fn of(key: &ApiKey, secret: String) -> Self {
        Self { view: KeyView::of(key), key: Some(secret) }
    }
}
