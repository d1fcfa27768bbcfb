//! The sections, one component each. Every field is documented in `hermes.default.toml`.

mod cascade;
mod egress;
mod secrets;
mod server;
mod store;
mod telemetry;
mod wasm;
mod webhooks;

pub use cascade::{Admission, Cascade, StepTimeouts};
pub use egress::Egress;
pub use secrets::{Bootstrap, Secrets};
pub use server::{Server, Simulator};
pub use store::{Nats, Store, StoreKind};
pub use telemetry::{LogFormat, Telemetry};
pub use wasm::Wasm;
pub use webhooks::Webhooks;

/// One day, in seconds.
const DAY_S: u64 = 86_400;
