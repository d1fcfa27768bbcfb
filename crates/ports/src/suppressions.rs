//! Addresses that a tenant must not write to.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    SuppressionId, TenantId, UnixMillis,
    address::Channel,
    message::Mode,
    suppression::{OptOutScope, SenderKey, Suppression, SuppressionReason},
    tenant::TenantScope,
};

use crate::store_error::StoreError;

/// Most rules that one [`Suppressions::add`] takes.
pub const ADD_MAX: usize = 1_000;

/// Which address of whom.
#[derive(Clone, PartialEq, Eq)]
pub struct SuppressedAddress {
    /// Whose rules count.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// On which channel.
    pub channel: Channel,
    /// Phone number in E.164, mail address in any case, or push token.
    pub address: String,
}

impl fmt::Debug for SuppressedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuppressedAddress")
            .field("tenant", &self.tenant)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// A rule as it is kept.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredSuppression {
    /// The rule.
    pub rule: Suppression,
    /// Grows with every change; 1 when new.
    pub version: u64,
}

/// What became of a rule that was to be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Added {
    /// It is kept.
    New,
    /// One that says the same stands already, under this id.
    Stands(SuppressionId),
}

/// Which rules to list: those that meet every condition.
#[derive(Clone)]
pub struct SuppressionQuery {
    /// Whose.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// That name exactly this: an address as the rule shows it.
    pub address: Option<String>,
    /// For this channel alone.
    pub channel: Option<Channel>,
    /// For this reason.
    pub reason: Option<SuppressionReason>,
    /// For this sender alone.
    pub sender: Option<SenderKey>,
    /// Made at or after.
    pub created_after: Option<UnixMillis>,
    /// Only those older than this one.
    pub before: Option<SuppressionId>,
    /// At most so many.
    pub limit: usize,
}

impl SuppressionQuery {
    /// Every rule of a tenant in one mode.
    pub const fn all(tenant: TenantId, mode: Mode, limit: usize) -> Self {
        let (address, channel, reason, sender) = (None, None, None, None);
        Self { tenant, mode, address, channel, reason, sender, created_after: None, before: None, limit }
    }

    /// Whether a rule meets every condition but the limit.
    pub fn matches(&self, rule: &Suppression) -> bool {
        (rule.tenant, rule.mode) == (self.tenant, self.mode)
            && self.address.as_deref().is_none_or(|address| rule.covers.value() == address)
            && self.channel.is_none_or(|channel| rule.channel == Some(channel))
            && self.reason.is_none_or(|reason| rule.reason == reason)
            && self.sender.as_ref().is_none_or(|sender| rule.sender.as_ref() == Some(sender))
            && self.created_after.is_none_or(|bound| rule.created_at >= bound)
            && self.before.is_none_or(|before| rule.id < before)
    }
}

impl fmt::Debug for SuppressionQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuppressionQuery")
            .field("tenant", &self.tenant)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// A change of a rule: what it covers never changes.
#[derive(Clone, Debug, Default)]
pub struct SuppressionChange {
    /// A new note; `Some(None)` removes it.
    pub note: Option<Option<String>>,
    /// A new end; `Some(None)`: never.
    pub expires_at: Option<Option<UnixMillis>>,
}

/// Keeps them.
#[async_trait]
pub trait Suppressions: Send + Sync + fmt::Debug {
    /// Adds rules, durably and all at once; at most [`ADD_MAX`]. Answers one by one, in their order.
    ///
    /// Two rules say the same when they agree in all but id, note and times. Of such two the first stays as it is, unless
    /// it had expired when the second was made: then that one replaces it.
    ///
    /// # Errors
    /// `Unavailable`; none is kept then.
    async fn add(&self, rules: Vec<Suppression>) -> Result<Vec<Added>, StoreError>;

    /// A rule.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn get(
        &self,
        tenant: TenantId,
        mode: Mode,
        id: SuppressionId,
    ) -> Result<Option<StoredSuppression>, StoreError>;

    /// Rules that meet a query, newest first.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn list(&self, query: SuppressionQuery) -> Result<Vec<StoredSuppression>, StoreError>;

    /// Changes a rule that is at version `expected` (`None`: at any). `None`: there is no such rule.
    ///
    /// # Errors
    /// `Conflict` when it is at another version; `Unavailable`, `Damaged`.
    async fn update(
        &self,
        scope: TenantScope,
        id: SuppressionId,
        expected: Option<u64>,
        change: SuppressionChange,
    ) -> Result<Option<StoredSuppression>, StoreError>;

    /// Removes a rule that is at version `expected` (`None`: at any). False: there is no such rule.
    ///
    /// # Errors
    /// `Conflict` when it is at another version; `Unavailable`.
    async fn delete(
        &self,
        scope: TenantScope,
        id: SuppressionId,
        expected: Option<u64>,
    ) -> Result<bool, StoreError>;

    /// Lifts what the recipient's own words made, as START does: opt-outs of exactly this address and channel that the
    /// recipient or a provider told, and that were about `sender` or about every sender. All others stay.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn lift(&self, of: SuppressedAddress, sender: Option<SenderKey>) -> Result<(), StoreError>;

    /// Whether there may be a rule that covers an address: false only when there is none. Answers from memory, and as
    /// soon as [`Self::add`] has returned.
    fn may_cover(&self, of: &SuppressedAddress) -> bool;

    /// Every rule that covers an address, expired ones and those about other senders included, in any order.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn covering(&self, of: &SuppressedAddress) -> Result<Vec<Suppression>, StoreError>;

    /// Which senders a STOP silences for a tenant.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn opt_out_scope(&self, tenant: TenantId, mode: Mode) -> Result<OptOutScope, StoreError>;

    /// Sets which senders a STOP silences. Rules that exist stay as they are.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn set_opt_out_scope(
        &self,
        tenant: TenantId,
        mode: Mode,
        scope: OptOutScope,
    ) -> Result<(), StoreError>;
}
