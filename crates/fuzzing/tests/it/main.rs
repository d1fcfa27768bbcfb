//! Replays the corpus of every fuzz target, without a fuzzer.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod corpus;
