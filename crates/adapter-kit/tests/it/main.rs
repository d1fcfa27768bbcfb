//! The kit against real components, and against hosts that break every rule.

mod components;
mod liar;
mod liars;
