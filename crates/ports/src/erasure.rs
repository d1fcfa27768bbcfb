//! Making everything that is kept about a recipient unreadable.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{MessageId, UnixMillis, recipient_address::RecipientAddress, tenant::TenantScope};

use crate::store_error::StoreError;

/// What an erasure did.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Erased {
    /// Messages that were readable until now.
    pub messages: u64,
    /// Suppressions that no longer name the address, and go on working.
    pub suppressions: u64,
    /// Those of the messages that had not ended, newest first.
    pub open: Vec<MessageId>,
}

/// Erases recipients.
#[async_trait]
pub trait Erasure: Send + Sync + fmt::Debug {
    /// Messages to an address that have not ended: newest first, before `before`, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn open_messages(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        before: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<MessageId>, StoreError>;

    /// Makes recipient, content, metadata and warnings of every message to an address unreadable, also where the message
    /// has other addresses; takes the address out of suppressions, which go on working, and forgets stored replies that
    /// name it. States, attempts, costs and tags stay. A message that is accepted later is not concerned.
    ///
    /// Once it is on record it is finished, after a crash at the next start. Doing it again changes nothing.
    ///
    /// # Errors
    /// `Unavailable`: it is unknown whether it is on record. Do it again.
    async fn erase(
        &self,
        scope: TenantScope,
        address: &RecipientAddress,
        at: UnixMillis,
    ) -> Result<Erased, StoreError>;
}
