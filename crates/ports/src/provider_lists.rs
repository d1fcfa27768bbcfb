//! Lists of providers that are kept in step with a tenant's suppressions: what is still to be written to them, and what
//! was read from them. `Debug` never shows an address.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    ConnectionId, UnixMillis,
    address::Channel,
    suppression::{Suppression, SuppressionReason},
    tenant::TenantScope,
};
use serde::Serialize;

use crate::store_error::StoreError;

/// Changes of one list that may be waiting. A rule that finds no room is taken up by [`ProviderLists::catch_up`].
pub const PENDING_MAX: usize = 10_000;
/// Most rules that one [`ProviderLists::learn`] takes.
pub const LEARN_MAX: usize = 1_000;

/// A list that follows a tenant's rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FollowedList {
    /// The connection whose account has it. One tenant's alone.
    pub connection: ConnectionId,
    /// Whose rules.
    pub scope: TenantScope,
    /// Whose addresses it holds.
    pub channel: Channel,
}

/// How far a list was read.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Reading {
    /// The adapter's own mark; `None`: from the start.
    pub cursor: Option<String>,
    /// When the last reading ended; 0: never.
    pub read_at: UnixMillis,
}

/// A change that a list is still owed.
#[derive(Clone, PartialEq, Eq)]
pub struct ListChange {
    /// Which list.
    pub connection: ConnectionId,
    /// Phone number in E.164, or mail address.
    pub address: String,
    /// Why it is to be put there; `None`: it is to be taken off.
    pub add: Option<SuppressionReason>,
    /// Failures so far.
    pub attempts: u32,
    /// Since when it is owed.
    pub since: UnixMillis,
    /// Names this change among those of the address.
    pub version: u64,
}

impl fmt::Debug for ListChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListChange")
            .field("connection", &self.connection)
            .field("add", &self.add)
            .field("attempts", &self.attempts)
            .finish_non_exhaustive()
    }
}

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChangeEnd {
    /// The provider made it.
    Made,
    /// It failed; try again then.
    Again(UnixMillis),
    /// It is not tried any more, until somebody asks for it.
    GivenUp,
}

/// What one synchronisation did.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize)]
pub struct SyncCounts {
    /// Addresses that were read.
    pub read: u64,
    /// Those that became rules.
    pub added: u64,
    /// Changes that were written to the provider.
    pub pushed: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Whether there is more to read or to write, which the next one does.
    pub more: bool,
}

/// Keeps them. Rules and what they owe to lists change in one transaction: whoever implements this implements
/// [`Suppressions`](crate::Suppressions), too.
#[async_trait]
pub trait ProviderLists: Send + Sync + fmt::Debug {
    /// Says which lists follow, all of them. What is known of others is forgotten.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn follow(&self, lists: Vec<FollowedList>) -> Result<(), StoreError>;

    /// Takes up to `limit` rules that a list should show and does not yet: those that are older than the following, or
    /// found no room. With `given_up`, also changes that were given up. Returns how many are owed now.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn catch_up(
        &self,
        list: FollowedList,
        limit: usize,
        given_up: bool,
        now: UnixMillis,
    ) -> Result<usize, StoreError>;

    /// Changes that are due, at most `limit`, longest due first.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn due(
        &self,
        connection: ConnectionId,
        now: UnixMillis,
        limit: usize,
    ) -> Result<Vec<ListChange>, StoreError>;

    /// Notes what became of a change. Nothing, when the rules have changed again meanwhile.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn end(&self, change: &ListChange, end: ChangeEnd) -> Result<(), StoreError>;

    /// How far a list was read. `None`: it does not follow.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn reading(&self, connection: ConnectionId) -> Result<Option<Reading>, StoreError>;

    /// Keeps what was read and how far, at once; at most [`LEARN_MAX`] rules. An address becomes a rule if none stands
    /// that concerns the list, and if Hermes neither put it there nor is about to take it off. Returns how many did.
    ///
    /// # Errors
    /// `Unavailable`; nothing is kept then.
    async fn learn(
        &self,
        list: FollowedList,
        rules: Vec<Suppression>,
        reading: Reading,
    ) -> Result<usize, StoreError>;
}

/// Why a list cannot be synchronised now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotSynced {
    /// The connection does not exist, or its settings or its adapter do not allow it.
    #[error("the connection keeps no list in step")]
    NotFollowed,
    /// It is being synchronised already.
    #[error("the list is being synchronised already")]
    Busy,
    /// The store failed.
    #[error("the store is not available")]
    Store,
}

/// Synchronises lists when an operator asks.
#[async_trait]
pub trait ListSync: Send + Sync + fmt::Debug {
    /// Writes what a connection's list is owed and reads what is new, within the limits of one run.
    ///
    /// # Errors
    /// [`NotSynced`].
    async fn sync(&self, connection: ConnectionId) -> Result<SyncCounts, NotSynced>;
}
