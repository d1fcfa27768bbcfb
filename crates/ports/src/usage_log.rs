//! Counts of messages, attempts, segments and cost, kept with each commit.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    tenant::TenantScope,
    usage::{UsageCounts, UsageKey},
};

use crate::store_error::StoreError;

/// Which counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UsageQuery {
    /// Whose; `None`: everybody's, for operators.
    pub scope: Option<TenantScope>,
    /// First day, as days since 1970-01-01 UTC.
    pub from_day: u32,
    /// Last day, included.
    pub to_day: u32,
}

/// Tells them.
#[async_trait]
pub trait UsageLog: Send + Sync + fmt::Debug {
    /// Every count of a query, one for each key, in the order of the keys. At most `limit`.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn counts(
        &self,
        query: UsageQuery,
        limit: usize,
    ) -> Result<Vec<(UsageKey, UsageCounts)>, StoreError>;
}
