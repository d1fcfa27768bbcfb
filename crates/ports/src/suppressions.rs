//! Addresses that a tenant must not write to.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{TenantId, UnixMillis, address::Channel, message::Mode};

use crate::store_error::StoreError;

/// Which address of whom.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuppressedAddress {
    /// Whose rule it is.
    pub tenant: TenantId,
    /// Live or test.
    pub mode: Mode,
    /// On which channel.
    pub channel: Channel,
    /// Phone number in E.164, or mail address in lower case.
    pub address: String,
}

impl SuppressedAddress {
    /// Email compares without regard to case.
    pub fn new(tenant: TenantId, mode: Mode, channel: Channel, address: &str) -> Self {
        Self { tenant, mode, channel, address: address.to_ascii_lowercase() }
    }
}

impl fmt::Debug for SuppressedAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuppressedAddress")
            .field("tenant", &self.tenant)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

/// Why an address is suppressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SuppressionReason {
    /// The recipient said STOP.
    OptOut,
    /// The recipient reported a message as unwanted.
    Complaint,
    /// The address does not exist.
    HardBounce,
}

impl SuppressionReason {
    /// Every reason.
    pub const ALL: [Self; 3] = [Self::OptOut, Self::Complaint, Self::HardBounce];

    /// Its name in storage and API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OptOut => "opt_out",
            Self::Complaint => "complaint",
            Self::HardBounce => "hard_bounce",
        }
    }
}

/// A rule, and since when.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Suppression {
    /// Why.
    pub reason: SuppressionReason,
    /// Since when.
    pub since: UnixMillis,
}

/// Keeps them.
#[async_trait]
pub trait Suppressions: Send + Sync + fmt::Debug {
    /// Suppresses an address. A rule that is there already stays as it is.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn suppress(&self, address: SuppressedAddress, rule: Suppression) -> Result<(), StoreError>;

    /// Lifts a rule that the recipient's own words made, as START does; others stay.
    ///
    /// # Errors
    /// `Unavailable`.
    async fn consent(&self, address: SuppressedAddress) -> Result<(), StoreError>;

    /// The rule about an address, if there is one.
    ///
    /// # Errors
    /// `Unavailable`, `Damaged`.
    async fn find(&self, address: SuppressedAddress) -> Result<Option<Suppression>, StoreError>;
}
