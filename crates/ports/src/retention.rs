//! Letting go of messages that were kept long enough.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use hermes_domain::{
    UnixMillis,
    message::Envelope,
    policy::{Kept, Retention},
    tenant::TenantScope,
};

use crate::store_error::StoreError;

/// What went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Retained {
    /// Messages that lost what is personal in them.
    pub contents: u64,
    /// Messages that went as a whole.
    pub messages: u64,
}

/// Another store with the same messages.
#[async_trait]
pub trait Copies: Send + Sync + fmt::Debug {
    /// Takes away what is personal in these messages, or the messages, which have all ended. Doing it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`: some may have gone.
    async fn let_go(&self, what: Kept, messages: &[Arc<Envelope>], at: UnixMillis) -> Result<(), StoreError>;
}

/// Messages are in one store only.
#[derive(Clone, Copy, Debug)]
pub struct NoCopies;

#[async_trait]
impl Copies for NoCopies {
    async fn let_go(&self, _: Kept, _: &[Arc<Envelope>], _: UnixMillis) -> Result<(), StoreError> {
        Ok(())
    }
}

/// Applies periods.
#[async_trait]
pub trait Retain: Send + Sync + fmt::Debug {
    /// Takes away what is over its time now, the oldest first, from `copies` before it is taken away here. One call does a
    /// bounded share; what is left is done by later ones. Messages that have not ended wait until they have.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`; whatever was not done is done by a later call.
    async fn retain(
        &self,
        scope: TenantScope,
        rules: &Retention,
        copies: &dyn Copies,
    ) -> Result<Retained, StoreError>;

    /// Destroys data keys under which nothing is encrypted any more, and returns how many. One call looks at a bounded
    /// share of all recipients, the next at those after them. Whoever seals messages for another store keeps that from
    /// happening meanwhile: a key is not needed before its message is on record here.
    ///
    /// # Errors
    /// `Unavailable`; whatever was not done is done by a later call.
    async fn drop_keys(&self) -> Result<u64, StoreError>;
}
