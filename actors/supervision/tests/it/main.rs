//! Supervision against real actors.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod call;
mod static_supervisor;
mod worker;
