//! The binary, as users run it: real processes, real sockets, real crashes.

mod behaviours;
mod breaker;
mod crash;
mod drain;
mod hot_swap;
mod policies;
mod receipts;
mod recovery;
mod server;
