//! The egress client against real sockets.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like a test")]

mod allow_list;
mod credentials;
mod exchange;
mod never_twice;
mod proxy;
mod ssrf;
mod support;
mod tls;
mod tokens;
