//! What people have written to tenants: who, to whom and of what kind, never the text.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    ConnectionId, InboundId, MessageId, TenantId, UnixMillis, address::Channel, tenant::TenantScope,
};

use crate::store_error::StoreError;

/// Most entries of one tenant and mode; the oldest give way.
pub const INBOUND_MAX: usize = 100_000;
/// How long an entry is kept at most, in milliseconds (30 days).
pub const INBOUND_FOR_MS: u64 = 30 * 24 * 3_600_000;

/// What a person wanted. The names are persisted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum InboundMeaning {
    /// To hear no more.
    OptOut,
    /// To hear again.
    OptIn,
    /// Anything else.
    Message,
}

impl InboundMeaning {
    /// Every meaning.
    pub const ALL: [Self; 3] = [Self::OptOut, Self::OptIn, Self::Message];

    /// Its name in storage and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::OptIn => "opt_in",
            Self::Message => "message",
        }
    }
}

/// One message from a person. `Debug` never shows an address.
#[derive(Clone, PartialEq, Eq)]
pub struct InboundEntry {
    /// Which; in order of arrival.
    pub id: InboundId,
    /// Whose.
    pub scope: TenantScope,
    /// On which channel.
    pub channel: Channel,
    /// Who wrote: a number in E.164, or a mail address in lower case; `None` once they are erased.
    pub from: Option<String>,
    /// Our number or address, if the provider told.
    pub to: Option<String>,
    /// What was wanted.
    pub meaning: InboundMeaning,
    /// Through which connection.
    pub connection: ConnectionId,
    /// The newest message that the tenant had sent to that person, if any.
    pub message: Option<MessageId>,
    /// When it arrived.
    pub received_at: UnixMillis,
}

impl fmt::Debug for InboundEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundEntry")
            .field("id", &self.id)
            .field("scope", &self.scope)
            .field("channel", &self.channel)
            .field("meaning", &self.meaning)
            .finish_non_exhaustive()
    }
}

/// Which entries are wanted: those that meet every condition.
#[derive(Clone)]
pub struct InboundQuery {
    /// Whose.
    pub scope: TenantScope,
    /// From exactly this address, in the form of [`InboundEntry::from`].
    pub from: Option<String>,
    /// On this channel.
    pub channel: Option<Channel>,
    /// Arrived at or after.
    pub created_after: Option<UnixMillis>,
    /// Only those older than this one.
    pub before: Option<InboundId>,
    /// At most so many.
    pub limit: usize,
}

impl InboundQuery {
    /// Everything of a tenant in one mode.
    pub const fn all(scope: TenantScope, limit: usize) -> Self {
        Self { scope, from: None, channel: None, created_after: None, before: None, limit }
    }

    /// Whether an entry meets every condition but the limit.
    pub fn matches(&self, entry: &InboundEntry) -> bool {
        entry.scope == self.scope
            && (self.from.is_none() || entry.from == self.from)
            && self.channel.is_none_or(|channel| entry.channel == channel)
            && self.created_after.is_none_or(|bound| entry.received_at >= bound)
            && self.before.is_none_or(|before| entry.id < before)
    }
}

impl fmt::Debug for InboundQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundQuery")
            .field("scope", &self.scope)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// Keeps them, [`INBOUND_MAX`] and [`INBOUND_FOR_MS`] at most.
#[async_trait]
pub trait InboundLog: Send + Sync + fmt::Debug {
    /// Keeps an entry durably. One whose `digest` its tenant has already is kept once.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn keep(&self, entry: InboundEntry, digest: [u8; 32]) -> Result<(), StoreError>;

    /// Entries that meet a query, newest first.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn newest(&self, query: InboundQuery) -> Result<Vec<InboundEntry>, StoreError>;

    /// Forgets every entry of a tenant, in both modes.
    ///
    /// # Errors
    /// `Unavailable`; some may be gone then.
    async fn discard_all(&self, tenant: TenantId) -> Result<(), StoreError>;
}
