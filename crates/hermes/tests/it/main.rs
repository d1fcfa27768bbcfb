//! The binary, as users run it: real processes, real sockets, real crashes.

#![expect(clippy::unwrap_used, reason = "a test stops at what it did not expect")]

mod batches;
mod behaviours;
mod breaker;
mod cli;
mod containment;
mod crash;
mod dev;
mod drain;
mod erasure;
mod hot_swap;
mod lookups;
mod parked;
mod passivation;
mod policies;
mod provider_lists;
mod providers;
mod receipts;
mod recovery;
mod server;
mod serving;
mod smoke;
mod suppressions;
mod templates;
mod traces;
mod usage;
mod webhooks;
