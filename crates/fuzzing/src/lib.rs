//! What the fuzz targets of `fuzz/` feed to adapters and their host, and what must then hold.
//!
//! A [`Target`] turns any bytes into calls of the real host with real components, and says what came of them in
//! a few words or that something is wrong. It needs no fuzzer: the targets and the replay of the corpus in this
//! crate's tests are the same code. How bytes become calls is described in `framing.rs` and `component.rs`.

mod answers;
mod component;
mod connection;
mod finding;
mod framing;
mod receipts;
mod signing;
mod target;
mod words;

pub use finding::Finding;
pub use target::{Bench, Target};
