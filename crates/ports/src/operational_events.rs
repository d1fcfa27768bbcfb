//! Events about the service of tenants, not about one message: told to the webhook endpoints that want them.

use std::fmt;

use async_trait::async_trait;
use hermes_domain::{
    ConnectionId, EndpointId, EventId, TenantId, UnixMillis, address::Channel, event::OperationalKind,
    message::Mode, tenant::DisableReason,
};

use crate::store_error::StoreError;

/// What happened.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum OperationalEvent {
    /// An endpoint is disabled. It is not told itself.
    WebhookDisabled {
        /// Which.
        endpoint: EndpointId,
        /// Why.
        reason: DisableReason,
        /// When its first failure since its last success happened.
        failing_since: UnixMillis,
    },
    /// A share of a quota is used up.
    QuotaThresholdReached {
        /// Which quota, such as `messages_per_month`.
        quota: String,
        /// The share that was reached, in percent.
        threshold_percent: u8,
        /// How much is used, as a decimal number.
        used: String,
        /// How much there is, as a decimal number.
        limit: String,
        /// What is counted: `messages`, or a currency.
        unit: String,
        /// When it is full again.
        resets_at: Option<UnixMillis>,
    },
    /// A connection's breaker opened: messages go round it.
    ProviderDegraded {
        /// Name of the connection.
        provider: String,
        /// Its channel.
        channel: Channel,
    },
    /// The breaker closed again.
    ProviderRecovered {
        /// Name of the connection.
        provider: String,
        /// Its channel.
        channel: Channel,
        /// When it opened.
        degraded_since: UnixMillis,
    },
}

impl OperationalEvent {
    /// Its kind.
    pub const fn kind(&self) -> OperationalKind {
        match self {
            Self::WebhookDisabled { .. } => OperationalKind::WebhookDisabled,
            Self::QuotaThresholdReached { .. } => OperationalKind::QuotaThresholdReached,
            Self::ProviderDegraded { .. } => OperationalKind::ProviderDegraded,
            Self::ProviderRecovered { .. } => OperationalKind::ProviderRecovered,
        }
    }
}

/// Whose endpoints are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Audience {
    /// One tenant's, in one mode.
    Tenant(TenantId, Mode),
    /// Those of every tenant whose messages may go through this connection, in the connection's mode.
    UsersOf(ConnectionId),
}

/// An event and who is to hear of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Announcement {
    /// The event's id. An event that is announced again under its id is not told again, so an id that is derived
    /// from what happened survives a crash in between.
    pub id: EventId,
    /// When it happened.
    pub at: UnixMillis,
    /// What happened.
    pub event: OperationalEvent,
    /// Who hears of it.
    pub audience: Audience,
}

/// Tells endpoints of operational events.
#[async_trait]
pub trait OperationalEvents: Send + Sync + fmt::Debug {
    /// Puts the event into the outbox of every endpoint of the audience that wants it. Returns how many these are;
    /// what is told is durable then, and is delivered as any notification is.
    ///
    /// # Errors
    /// `Unavailable`; some endpoints may be told all the same, and trying again under the same id is safe.
    async fn announce(&self, announcement: Announcement) -> Result<usize, StoreError>;
}
