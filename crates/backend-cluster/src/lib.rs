//! Ports on servers that several nodes share.
//!
//! Cascades live in NATS JetStream ([`NatsCascadeStore`]). What a commit makes durable beside the state
//! (idempotency key, webhooks, used-up receipt, log row) lives elsewhere, behind [`CommitRest`].

mod cascades;
mod commit_rest;

pub use cascades::{ClusterOptions, NatsCascadeStore, OpenError};
pub use commit_rest::{CommitRest, CompanionRest, RestOfCommit};
