//! The root of the tree: it composes tenants, providers, webhooks, deadlines, recovery and upkeep, and
//! gives the rest of the process its ports.

mod deadlines_actor;
mod inbox;
mod intake;
mod recovery_actor;
mod system;
mod tree;
mod upkeep_actor;
mod wake;

pub use hermes_actor_webhook::Options as WebhookOptions;
pub use system::{HermesSystem, StartError, SystemOptions, SystemPorts};
