//! How an accepted message comes to life.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use hermes_domain::message::Envelope;

use crate::{idempotency::Claim, store_error::StoreError};

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// Too many messages are on their way; come back later.
    #[error("too many messages are on their way")]
    Overloaded {
        /// In seconds.
        retry_after_s: u32,
    },
    /// Another request holds the idempotency key.
    #[error("the idempotency key is taken")]
    ClaimTaken,
    /// The store failed or did not answer in time: it is unknown whether the message exists, but if it
    /// does it will be delivered and its claim stands.
    #[error("the store failed")]
    Store(#[source] StoreError),
}

/// Takes messages. `Ok` means durable.
#[async_trait]
pub trait MessageIntake: Send + Sync + fmt::Debug {
    /// Makes the message durable, with its idempotency claim, and starts its cascade.
    ///
    /// # Errors
    /// See [`SubmitError`].
    async fn submit(&self, envelope: Arc<Envelope>, claim: Option<Claim>) -> Result<(), SubmitError>;
}
