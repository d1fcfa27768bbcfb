//! What leaves the process. Each file is about process-wide state and runs in its own process
//! under nextest, so the tests here set up what they need once.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod collector;
mod export;
mod prometheus;
