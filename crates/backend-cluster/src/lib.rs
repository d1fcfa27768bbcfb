//! Ports on servers that several nodes share.
//!
//! Cascades live in NATS JetStream ([`NatsCascadeStore`]). What a commit makes durable beside the state
//! (idempotency key, webhooks, used-up receipt, log row) lives elsewhere, behind [`CommitRest`]; so do the data keys that
//! messages are sealed under, behind [`hermes_ports::EnvelopeVault`].

mod cascades;
mod commit_rest;
mod protection;

pub use cascades::{ClusterOptions, NatsCascadeStore, OpenError};
pub use commit_rest::{CommitRest, CompanionRest, RestOfCommit};
pub use protection::{NatsErasure, NatsRetention};
