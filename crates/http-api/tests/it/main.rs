//! The router over real sockets, on ports in memory. Every answer is held against the OpenAPI document.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod access;
mod acknowledge;
mod admin;
mod app;
mod audit;
mod audit_of_tenants;
mod batches;
mod batches_repeated;
mod cascades;
mod client;
mod contract;
mod docs;
mod edge;
mod error_page;
mod fakes;
mod idempotency;
mod impossible;
mod inbound;
mod isolation;
mod layers;
mod lists;
mod malformed;
mod openapi;
mod preconditions;
mod providers;
mod rate_cards;
mod receipts;
mod recipients;
mod redrive;
mod redrive_limits;
mod routing;
mod savings;
mod send;
mod senders;
mod strangers;
mod suppressed;
mod suppressions;
mod templates;
mod usage;
mod webhooks;
