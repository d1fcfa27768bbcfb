//! What Hermes needs from the outside: one trait a file, with its error.

pub mod actor_tree;
pub mod adapter;
pub mod audit;
pub mod cascade_inbox;
pub mod cascade_store;
pub mod clock;
pub mod egress;
pub mod http;
pub mod idempotency;
pub mod kill_point;
pub mod message_intake;
pub mod message_log;
pub mod outbox;
pub mod parked_body;
pub mod provider_gateway;
pub mod receipt_inbox;
pub mod registry;
pub mod store_error;
pub mod suppressions;
pub mod upkeep;

pub use actor_tree::ActorTree;
pub use audit::{AuditLog, AuditRead};
pub use cascade_inbox::CascadeInbox;
pub use cascade_store::CascadeStore;
pub use clock::Clock;
pub use egress::Egress;
pub use idempotency::Idempotency;
pub use message_intake::MessageIntake;
pub use message_log::MessageLog;
pub use outbox::Outbox;
pub use provider_gateway::ProviderGateway;
pub use receipt_inbox::ReceiptInbox;
pub use registry::Registry;
pub use store_error::StoreError;
pub use suppressions::Suppressions;
pub use upkeep::Upkeep;
