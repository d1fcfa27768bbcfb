//! How an accepted message comes to life.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use hermes_domain::message::Envelope;

use crate::{idempotency::Claim, store_error::StoreError};

/// Why a message was not taken.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The tenant has as many messages of this lane on their way as it may; come back later.
    #[error("too many messages of the lane are on their way")]
    Overloaded {
        /// How many it may have.
        under_way_max: u32,
        /// In seconds.
        retry_after_s: u32,
    },
    /// Whoever would take it is not there right now, through no fault of the tenant's. Nothing was made durable.
    #[error("the tenant's actors are not running")]
    Away {
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
