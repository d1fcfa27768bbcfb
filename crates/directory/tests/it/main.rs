//! The directory over a registry in memory.

#![expect(clippy::unwrap_used, reason = "a test that cannot be set up has failed")]

mod cascades;
mod directory;
mod memory_registry;
mod prices;
mod senders;
mod templates;
