//! Small records that rarely change: tenants, keys, connections, endpoints, stored cascades, templates, adapters.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::store_error::StoreError;

/// What a record is. The names are persisted.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum RecordKind {
    /// A tenant.
    Tenant,
    /// An API key, by the hash of its secret.
    ApiKey,
    /// When an API key was used last, by the key's id.
    KeyUse,
    /// A provider connection; credentials are in `secret`.
    Connection,
    /// A webhook endpoint; signing secrets are in `secret`.
    Endpoint,
    /// A stored cascade with its versions.
    CascadeTemplate,
    /// A tenant's rule for routing.
    Route,
    /// A message template: its name, and which versions there are.
    MessageTemplate,
    /// What one version of a message template says.
    TemplateVersion,
    /// A sender that a tenant has registered.
    Sender,
    /// What a tenant pays from some day on.
    RateCard,
    /// An offer of a carrier or an aggregator.
    Quote,
    /// An adapter component; `secret` is unused, `body` is the component.
    AdapterComponent,
    /// Which adapter version is active.
    AdapterActive,
    /// Facts about the installation, such as the format version.
    Meta,
}

impl RecordKind {
    /// Name in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::ApiKey => "api_key",
            Self::KeyUse => "key_use",
            Self::Connection => "connection",
            Self::Endpoint => "endpoint",
            Self::CascadeTemplate => "cascade_template",
            Self::Route => "route",
            Self::MessageTemplate => "message_template",
            Self::TemplateVersion => "template_version",
            Self::Sender => "sender",
            Self::RateCard => "rate_card",
            Self::Quote => "quote",
            Self::AdapterComponent => "adapter_component",
            Self::AdapterActive => "adapter_active",
            Self::Meta => "meta",
        }
    }
}

/// A record. `Debug` shows neither body nor secret.
#[derive(Clone, PartialEq, Eq)]
pub struct Record {
    /// What it is.
    pub kind: RecordKind,
    /// Unique within its kind, at most 200 bytes.
    pub id: String,
    /// JSON, or the bytes of a component.
    pub body: Bytes,
    /// Encrypted by the caller.
    pub secret: Option<Bytes>,
    /// Grows with every change; 1 when new. Set by the backend.
    pub version: u64,
}

impl fmt::Debug for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Record")
            .field("kind", &self.kind)
            .field("id", &self.id)
            .field("version", &self.version)
            .finish_non_exhaustive()
    }
}

/// Keeps records.
#[async_trait]
pub trait Registry: Send + Sync + fmt::Debug {
    /// Writes a record durably and returns its new version. `expected`: `Some(0)` must be new,
    /// `Some(v)` must be at version `v`, `None` whatever is there.
    ///
    /// # Errors
    /// `Conflict` when `expected` is not met; `Unavailable`.
    async fn put(&self, record: Record, expected: Option<u64>) -> Result<u64, StoreError>;

    /// Every record of a kind, by id.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn all(&self, kind: RecordKind) -> Result<Vec<Record>, StoreError>;

    /// One record.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn get(&self, kind: RecordKind, id: &str) -> Result<Option<Record>, StoreError>;

    /// Removes a record; `false` when there was none.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn delete(&self, kind: RecordKind, id: &str) -> Result<bool, StoreError>;
}
