//! What the DNS says about a name.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::sender::RecordType;

/// The DNS did not answer; that a name has no such record is an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the DNS did not answer")]
pub struct DnsUnavailable;

/// Reads public records.
#[async_trait]
pub trait DnsLookup: Send + Sync + fmt::Debug {
    /// The values of a name's records of one type, in no particular order; empty where there are none. Texts come whole,
    /// names with or without a dot at their end, mail exchangers as preference and name. Ends within seconds.
    ///
    /// # Errors
    /// When no server answered in time.
    async fn values(&self, name: &str, record_type: RecordType) -> Result<Vec<String>, DnsUnavailable>;
}
