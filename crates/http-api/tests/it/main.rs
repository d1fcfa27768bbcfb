//! The router over real sockets, on ports in memory. Every answer is held against the OpenAPI document.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod acknowledge;
mod admin;
mod app;
mod batches;
mod cascades;
mod client;
mod contract;
mod edge;
mod fakes;
mod idempotency;
mod inbound;
mod isolation;
mod lists;
mod malformed;
mod openapi;
mod providers;
mod receipts;
mod send;
mod templates;
mod webhooks;
