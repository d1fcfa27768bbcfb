//! Letting go of messages that were kept long enough.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{policy::Retention, tenant::TenantScope};

use crate::store_error::StoreError;

/// What went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retained {
    /// Messages that lost what is personal in them.
    pub contents: u64,
    /// Messages that went as a whole.
    pub messages: u64,
}

/// Applies periods.
#[async_trait]
pub trait Retain: Send + Sync + fmt::Debug {
    /// Takes away what is over its time now, the oldest first. One call does a bounded share; what is left is done by
    /// later ones. Messages that have not ended wait until they have.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`; whatever was not done is done by a later call.
    async fn retain(&self, scope: TenantScope, rules: &Retention) -> Result<Retained, StoreError>;
}
