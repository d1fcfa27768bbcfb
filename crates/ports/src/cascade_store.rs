//! Where cascades live. The only write is a commit.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use hermes_domain::{
    ConnectionId, MessageId, UnixMillis,
    cascade::{MessageStatus, State, encode},
    message::Envelope,
    usage::{UsageEntry, changes},
};

use crate::{idempotency::Claim, outbox::OutboxEntry, receipt_inbox::ParkedId, store_error::StoreError};

/// Version of a stored state; grows with each commit. Opaque to all but the backend.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Revision(pub u64);

/// A cascade as stored.
#[derive(Clone, Debug)]
pub struct StoredCascade {
    /// Written at acceptance.
    pub envelope: Arc<Envelope>,
    /// The newest state.
    pub state: State,
    /// Its revision.
    pub revision: Revision,
}

/// A cascade that has not ended, as recovery needs it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenCascade {
    /// Which.
    pub id: MessageId,
    /// When it must be woken.
    pub due: UnixMillis,
    /// Whether it owes an effect now.
    pub owes_effect: bool,
}

/// Everything that one decision makes durable, together.
///
/// Where the parts live in different servers the order is claim, state, rest; the rest is idempotent.
#[derive(Clone, Debug)]
pub struct Commit {
    /// The message.
    pub id: MessageId,
    /// Present exactly when the message is created.
    pub envelope: Option<Arc<Envelope>>,
    /// The revision that this commit replaces; `None` to create.
    pub expected: Option<Revision>,
    /// The encoded state.
    pub state: Bytes,
    /// Status of that state, for lists.
    pub status: MessageStatus,
    /// When to wake it; `None` once terminal.
    pub due: Option<UnixMillis>,
    /// Whether it owes an effect.
    pub owes_effect: bool,
    /// Idempotency key to take, with a creation.
    pub claim: Option<Claim>,
    /// Webhooks that this decision owes.
    pub outbox: Vec<OutboxEntry>,
    /// Parked receipt that this decision used up.
    pub consumed: Option<ParkedId>,
    /// Providers' ids of this message's attempts, for [`crate::MessageLog::find_by_provider_id`].
    /// Naming one again changes nothing.
    pub provider_ids: Vec<(ConnectionId, String)>,
    /// What this decision changes of the counts that [`crate::UsageLog`] tells.
    pub usage: Vec<UsageEntry>,
}

impl Commit {
    /// A commit of `state` that replaces `expected`, without claim, webhooks and receipts. The creation of a message is
    /// counted; what a later decision changes, only [`Self::counting_from`] knows.
    pub fn of(envelope: &Arc<Envelope>, state: &State, expected: Option<Revision>) -> Self {
        Self {
            id: envelope.id,
            envelope: expected.is_none().then(|| Arc::clone(envelope)),
            expected,
            state: Bytes::from(encode(state)),
            status: state.status(),
            due: state.due(envelope),
            owes_effect: state.owes_effect(envelope),
            claim: None,
            outbox: Vec::new(),
            consumed: None,
            provider_ids: state.provider_ids(envelope),
            usage: if expected.is_none() { changes(envelope, None, state) } else { Vec::new() },
        }
    }

    /// The same, with what changes of the counts since `before`.
    #[must_use]
    pub fn counting_from(mut self, envelope: &Envelope, before: &State, state: &State) -> Self {
        if self.expected.is_some() {
            self.usage = changes(envelope, Some(before), state);
        }
        self
    }
}

/// Keeps cascades.
#[async_trait]
pub trait CascadeStore: Send + Sync + fmt::Debug {
    /// Makes a decision durable. When this returns `Ok` it survives the loss of process and power.
    ///
    /// # Errors
    /// `Conflict` when `expected` is not the stored revision (or the message exists already): the caller
    /// performs no effect. `ClaimTaken` when another message holds the idempotency key; nothing is written.
    async fn commit(&self, commit: Commit) -> Result<Revision, StoreError>;

    /// The newest state of a message, terminal ones included; `None` when it does not exist.
    ///
    /// # Errors
    /// `Damaged` when it cannot be decoded, `Unavailable`.
    async fn load(&self, id: MessageId) -> Result<Option<StoredCascade>, StoreError>;

    /// Open cascades of `partition` in order of arrival, after `after`, at most `limit`.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn open(
        &self,
        partition: u8,
        after: Option<MessageId>,
        limit: usize,
    ) -> Result<Vec<OpenCascade>, StoreError>;

    /// Open cascades of every partition at once, for boot: at most `limit`, in order of arrival.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn open_all(&self, after: Option<MessageId>, limit: usize) -> Result<Vec<OpenCascade>, StoreError>;

    /// Whether the backend answers.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn ping(&self) -> Result<(), StoreError>;
}
