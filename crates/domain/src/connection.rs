//! A connection: one account at one provider, with its limits. Credentials live elsewhere.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::{ConnectionId, TenantId, UnixMillis, address::Channel, message::Mode};

/// A connection as routing and provider actors see it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Connection {
    /// Which.
    pub id: ConnectionId,
    /// Whose; `None` serves every tenant.
    pub tenant: Option<TenantId>,
    /// Live or test.
    pub mode: Mode,
    /// Name of its adapter.
    pub provider: String,
    /// The tenant's name for it, used in cascades.
    pub name: String,
    /// What it carries.
    pub channel: Channel,
    /// Readable settings such as `from`, `region`, `base_url`.
    pub config: BTreeMap<String, serde_json::Value>,
    /// Requests a second; `None`: the adapter's default.
    pub rate_per_s: Option<u32>,
    /// Held by an operator: no attempt starts until released.
    #[serde(default)]
    pub held: bool,
    /// When it was made.
    pub created_at: UnixMillis,
}

impl Connection {
    /// A text setting, if present.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.config.get(key).and_then(serde_json::Value::as_str)
    }

    /// Whether a message of `tenant` in `mode` may use this connection.
    pub fn serves(&self, tenant: TenantId, mode: Mode) -> bool {
        self.mode == mode && self.tenant.is_none_or(|owner| owner == tenant)
    }
}
