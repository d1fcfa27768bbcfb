//! Tenants, their keys and their webhook endpoints.

use serde::{Deserialize, Serialize};

use crate::{
    EndpointId, KeyId, TenantId, UnixMillis,
    access::{Role, Scopes},
    message::Mode,
    policy::TenantPolicy,
};

/// A tenant.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Tenant {
    /// Which.
    pub id: TenantId,
    /// For people.
    pub name: String,
    /// Sends are refused while true.
    #[serde(default)]
    pub suspended: bool,
    /// Cascade used when a message names none: JSON in the API's shape.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_cascade: Option<serde_json::Value>,
    /// What it may send, where to, when, and how much of it.
    #[serde(default, skip_serializing_if = "TenantPolicy::is_empty")]
    pub policy: TenantPolicy,
    /// When it was made.
    pub created_at: UnixMillis,
}

/// What everything that tenants make belongs to: a tenant, in one mode. Nothing of one scope is visible in another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct TenantScope {
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
}

impl TenantScope {
    /// The scope of a tenant in one mode.
    pub const fn new(tenant: TenantId, mode: Mode) -> Self {
        Self { tenant, mode }
    }
}

/// Who a key speaks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyOwner {
    /// A tenant, in one mode.
    Tenant(TenantId, Mode),
    /// The operator.
    Operator,
}

/// An API key; its secret is stored only as a keyed hash.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ApiKey {
    /// Which.
    pub id: KeyId,
    /// For whom it speaks.
    pub owner: KeyOwner,
    /// For people.
    pub name: String,
    /// What a tenant's key may do.
    #[serde(default, skip_serializing_if = "Scopes::are_all")]
    pub scopes: Scopes,
    /// What an operator's key may do; those made before there were roles may do everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// What people recognise the key by: its first and last characters. Too little to guess the rest from;
    /// `None` for keys whose secret was given, because it may be short.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// Refused from then on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<UnixMillis>,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl ApiKey {
    /// Whether it has not expired at `now`.
    pub fn works_at(&self, now: UnixMillis) -> bool {
        self.expires_at.is_none_or(|expires_at| now < expires_at)
    }

    /// The role of an operator's key; `None` for tenants' keys.
    pub fn operator_role(&self) -> Option<Role> {
        match self.owner {
            KeyOwner::Operator => Some(self.role.unwrap_or(Role::Admin)),
            KeyOwner::Tenant(..) => None,
        }
    }
}

/// Why an endpoint is disabled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DisableReason {
    /// Its tenant asked for it.
    Requested,
    /// It answered 410.
    Gone,
    /// It has been failing for days.
    Failing,
}

impl DisableReason {
    /// As the API spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Gone => "gone",
            Self::Failing => "failing",
        }
    }
}

/// Where a tenant wants to be told.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Endpoint {
    /// Which.
    pub id: EndpointId,
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// Where.
    pub url: String,
    /// What; empty: terminal events, late receipts and operational ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub event_types: Vec<String>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Nothing is sent while true.
    #[serde(default)]
    pub disabled: bool,
    /// Why it is disabled; `None` while it is not, and for one that an earlier version disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_reason: Option<DisableReason>,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl Endpoint {
    /// What it belongs to.
    pub const fn scope(&self) -> TenantScope {
        TenantScope::new(self.tenant, self.mode)
    }

    /// Stops notifications; a reason that is there already stays.
    pub fn disable(&mut self, reason: DisableReason) {
        self.disabled = true;
        self.disabled_reason.get_or_insert(reason);
    }

    /// Lets notifications flow again.
    pub const fn enable(&mut self) {
        (self.disabled, self.disabled_reason) = (false, None);
    }

    /// Whether this endpoint wants events called `event_type`.
    pub fn wants(&self, event_type: &str, by_default: bool) -> bool {
        !self.disabled
            && if self.event_types.is_empty() {
                by_default
            } else {
                self.event_types.iter().any(|wanted| wanted == event_type)
            }
    }
}
