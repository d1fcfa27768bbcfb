//! The HTTP client that performs adapters' requests: credentials, allow-list, SSRF guard, limits.
//!
//! Everything that leaves the process over HTTP passes here, in this order: the URL is read once and
//! held against the caller's hosts, the credentials are added by name, one guard
//! decides which addresses may be connected to, and one exchange runs within a time and a size limit.
//!
//! # Never twice
//!
//! A request is written to a socket at most once per call:
//! - redirects are off and reqwest's retry layer is set to `never`;
//! - below it, hyper-util takes another connection only when hyper hands the request back *unread*: it does
//!   so solely for a request that still lay in the connection's queue when the connection closed. Once
//!   the connection has taken the request, an error carries no message and ends the call.
//!
//! What can still happen is a request written to a pooled connection that the other side is closing at
//! that moment: nobody can tell whether it was read, so it is [`Lost`](hermes_ports::egress::EgressError).
//! The idle time in the pool (15 s) is far below that of the providers' front ends (60 s and more), which
//! makes that race rare.
//!
//! # Not sent
//!
//! Two things prove it: a failure to connect, and a body that no connection has touched when the time is
//! up. Both are reported as [`Connect`](hermes_ports::egress::EgressError).

mod address_class;
mod auth;
mod clients;
mod destination;
mod dns;
mod exchange;
mod failure;
mod guard;
mod headers;
mod host_pattern;
mod http_egress;
mod lookup;
mod options;
mod private_access;
mod watched_body;

pub use address_class::AddressClass;
pub use clients::SetupError;
pub use dns::DnsClient;
pub use http_egress::HttpEgress;
pub use lookup::{Lookup, SystemLookup};
pub use options::{Clock, EgressOptions};
pub use private_access::{InvalidPrivateAccess, PrivateAccess};
