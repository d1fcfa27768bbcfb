//! Lists of messages.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    AttemptRef, ConnectionId, MessageId, TenantId, UnixMillis,
    address::Channel,
    cascade::MessageStatus,
    message::{Envelope, Mode},
};

use crate::{cascade_store::StoredCascade, store_error::StoreError};

/// Which messages are wanted. Every condition given must hold.
#[derive(Clone, PartialEq, Eq)]
pub struct MessageQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// In one of these statuses; empty: in any.
    pub statuses: Vec<MessageStatus>,
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

impl MessageQuery {
    /// Whether a message with this envelope and status is wanted. Ignores cursor and limit.
    ///
    /// Addresses compare without regard to ASCII case, because email domains do.
    pub fn matches(&self, envelope: &Envelope, status: MessageStatus) -> bool {
        let to = &envelope.to;
        let addressed = |wanted: &String| {
            [to.phone.as_ref(), to.whatsapp.as_ref()]
                .into_iter()
                .flatten()
                .any(|phone| phone.as_str() == wanted)
                || to.email.as_ref().is_some_and(|email| email.as_str().eq_ignore_ascii_case(wanted))
        };
        (envelope.tenant, envelope.mode) == (self.tenant, self.mode)
            && (self.statuses.is_empty() || self.statuses.contains(&status))
            && self.channel.is_none_or(|wanted| envelope.plan.steps.iter().any(|step| step.channel == wanted))
            && self.tag.as_ref().is_none_or(|wanted| envelope.tags.contains(wanted))
            && self.to.as_ref().is_none_or(addressed)
            && self.created_after.is_none_or(|bound| envelope.created_at >= bound)
            && self.created_before.is_none_or(|bound| envelope.created_at < bound)
    }
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

    /// The attempt that `connection` carried and its provider calls `provider_message_id`: for receipts
    /// that do not give our reference back. The newest message wins when a provider reuses an id.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn find_by_provider_id(
        &self,
        connection: ConnectionId,
        provider_message_id: &str,
    ) -> Result<Option<AttemptRef>, StoreError>;
}
