//! Pure rules of message delivery: no clock, no randomness, no I/O.
//!
//! Time, ids and randomness arrive as arguments, so every decision can be replayed in a test.

pub mod access;
pub mod address;
pub mod batch;
pub mod breaker;
pub mod cascade;
pub mod connection;
pub mod content;
pub mod event;
pub mod failure_streak;
pub mod ids;
pub mod message;
pub mod money;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod rate_window;
pub mod routing;
pub mod segments;
pub mod sliding_window;
pub mod suppression;
pub mod tenant;
pub mod time;
pub mod timezone;

pub use ids::{
    AttemptRef, BatchId, CascadeTemplateId, ConnectionId, EndpointId, EventId, KeyId, MessageId, RequestId,
    RouteId, SuppressionId, TenantId,
};
pub use time::UnixMillis;
