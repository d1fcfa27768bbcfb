//! Lists of messages.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    MessageId, TenantId, UnixMillis, address::Channel, cascade::MessageStatus, message::Mode,
};

use crate::{cascade_store::StoredCascade, store_error::StoreError};

/// Which messages are wanted. Every condition given must hold.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// In this status.
    pub status: Option<MessageStatus>,
    /// With a step on this channel.
    pub channel: Option<Channel>,
    /// With this tag.
    pub tag: Option<String>,
    /// To this phone, email or WhatsApp address.
    pub to: Option<String>,
    /// Accepted at or after.
    pub created_after: Option<UnixMillis>,
    /// Accepted before.
    pub created_before: Option<UnixMillis>,
    /// Older than this message (the cursor).
    pub before: Option<MessageId>,
    /// At most so many, 1–250.
    pub limit: usize,
}

impl fmt::Debug for MessageQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MessageQuery")
            .field("tenant", &self.tenant)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Reads messages, newest first; may lag the store by 2 s.
#[async_trait]
pub trait MessageLog: Send + Sync + fmt::Debug {
    /// At most `limit + 1` messages, so that the caller sees whether there are more.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn list(&self, query: MessageQuery) -> Result<Vec<StoredCascade>, StoreError>;
}
