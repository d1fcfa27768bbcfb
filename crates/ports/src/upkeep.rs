//! Housekeeping that a backend wants done now and then.

use std::fmt;

use async_trait::async_trait;

use crate::store_error::StoreError;

/// Merges indexes and forgets what has expired.
#[async_trait]
pub trait Upkeep: Send + Sync + fmt::Debug {
    /// Does what is due; to be called each second. Most calls find nothing to do.
    ///
    /// # Errors
    /// Whatever was not done is done by a later call.
    async fn upkeep(&self) -> Result<(), StoreError>;
}
