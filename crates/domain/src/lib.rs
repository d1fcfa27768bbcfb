//! Pure rules of message delivery: no clock, no randomness, no I/O.
//!
//! Time, ids and randomness arrive as arguments, so every decision can be replayed in a test.

pub mod access;
pub mod address;
pub mod batch;
pub mod breaker;
pub mod calendar;
pub mod cascade;
pub mod connection;
pub mod content;
pub mod event;
pub mod failure_streak;
pub mod ids;
pub mod locale;
pub mod message;
pub mod money;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod pricing;
pub mod rate_window;
pub mod recipient_address;
pub mod routing;
pub mod segments;
pub mod sender;
pub mod sliding_window;
pub mod standing;
pub mod suppression;
pub mod template;
pub mod tenant;
pub mod time;
pub mod timezone;
pub mod usage;

pub use ids::{
    AttemptRef, BatchId, CascadeTemplateId, ConnectionId, EndpointId, EventId, InboundId, KeyId, MessageId,
    QuoteId, RateCardId, RequestId, RouteId, SenderId, SuppressionId, TemplateId, TenantId,
};
pub use time::UnixMillis;
