//! The kit against real components, and against hosts that break every rule.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod components;
mod liar;
mod liars;
