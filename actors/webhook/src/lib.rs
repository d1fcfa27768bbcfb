//! One actor a webhook endpoint: signed notifications with retries.
//!
//! The outbox is the truth: a notification is in it before anybody here hears of it, and stays pending
//! there until a try ended well. Losing an actor or a message therefore loses nothing.

mod endpoint_actor;
mod retry;
mod signature;
mod supervisor;
mod webhooks;

pub use supervisor::WebhooksMsg;
pub use webhooks::{Ports, Webhooks};
