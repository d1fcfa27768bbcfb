//! Fakes, builders, a manual clock and fault wrappers for tests.
//!
//! [`MemoryBackend`] passes the contract suites of every storing port, so a test that uses it learns
//! the same as with a real backend. [`FaultyStore`] adds the failures that a real one has.

mod clock;
mod envelope;
mod faulty_store;
mod fetched;
mod memory;
pub mod nats;
mod scripted_egress;
mod scripted_gateway;
mod story;
pub mod webhook_libraries;

pub use clock::ManualClock;
pub use envelope::{EnvelopeBuilder, START, connection, envelope, message_id, tenant};
pub use faulty_store::{Fault, FaultyStore};
pub use memory::MemoryBackend;
pub use scripted_egress::ScriptedEgress;
pub use scripted_gateway::{Answer, ScriptedGateway};
pub use story::{ADAPTER_VERSION, Story};
