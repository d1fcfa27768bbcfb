//! One actor a webhook endpoint: signed notifications with retries.
//!
//! The outbox holds every notification that is owed; this crate works it off. What has just become durable
//! is handed over in memory, so that the common delivery reads nothing. The memory of an endpoint is a
//! bounded *window*: what does not fit, and every retry that is minutes away, stays in the outbox and is
//! read when there is room or when it is due.
//!
//! Tries run in tasks that outlive the actor. Each endpoint's *ledger* knows which of them are under way
//! and which have just been recorded; it is what keeps one notification from being sent twice within a run,
//! whichever way it came in. Across a crash a notification may be sent again: `webhook-id` is the same then.

mod announcing;
mod delivery;
mod disabling;
mod endpoint_actor;
mod health;
mod item;
mod ledger;
mod options;
mod recorder;
mod retry;
mod seat;
mod shared;
mod signature;
mod source;
mod supervisor;
mod webhooks;
mod window;

#[cfg(test)]
mod fakes;

pub use options::Options;
pub use source::{DisableError, EndpointSource, Target};
pub use supervisor::WebhooksMsg;
pub use webhooks::{Ports, Webhooks};
