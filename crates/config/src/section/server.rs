//! `[server]` and `[simulator]`.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::time::Duration;

use url::Url;

use crate::reader::Reader;

/// The HTTP server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Where the API listens.
    pub listen: SocketAddr,
    /// The address under which others reach us, always set here; its path ends in a slash.
    pub public_url: Url,
    /// Requests served at one time.
    pub max_concurrent_requests: NonZeroUsize,
    /// Limit of one request.
    pub request_timeout: Duration,
    /// Limit of a drain after SIGTERM.
    pub drain_timeout: Duration,
}

/// Where test keys send to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Simulator {
    /// A simulator of its own; `None` means the one inside this process.
    pub url: Option<Url>,
}

impl Server {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let listen = reader.parsed("server.listen", "an address such as \"127.0.0.1:8080\"");
        let public_url = reader.optional_http_url("server.public_url");
        Self {
            listen,
            public_url: public_url.unwrap_or_else(|| public_url_of(listen)),
            max_concurrent_requests: reader.count("server.max_concurrent_requests", 1_000_000),
            request_timeout: reader.seconds("server.request_timeout_s", 1..=3_600),
            drain_timeout: reader.seconds("server.drain_timeout_s", 1..=3_600),
        }
    }
}

impl Simulator {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self { url: reader.optional_http_url("simulator.url") }
    }
}

fn public_url_of(listen: SocketAddr) -> Url {
    format!("http://{listen}/").parse().expect("a socket address makes a valid URL")
}
