//! Certificates that webhooks are verified with, kept for a day.
//!
//! Kept per connection: what one connection was allowed to fetch is never served to another.

use std::{num::NonZeroUsize, time::Duration};

use hermes_domain::ConnectionId;
use hermes_ports::http::{AuthScheme, HttpRequest, HttpResponse, Method};
use lru::LruCache;
use parking_lot::Mutex;
use tokio::time::Instant;

const KEPT_FOR: Duration = Duration::from_secs(24 * 3_600);
const KEPT_MAX: NonZeroUsize = NonZeroUsize::new(256).unwrap();
const BYTES_MAX: usize = 64 * 1_024;
const PEM: &[u8] = b"-----BEGIN CERTIFICATE-----";
const OK: u16 = 200;

/// The cache.
pub(crate) struct Certificates(Mutex<LruCache<(ConnectionId, String), (Instant, HttpResponse)>>);

impl Certificates {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(LruCache::new(KEPT_MAX)))
    }

    /// The kept answer to this request.
    pub(crate) fn get(&self, connection: ConnectionId, request: &HttpRequest) -> Option<HttpResponse> {
        if !may_be_kept(request) {
            return None;
        }
        let mut kept = self.0.lock();
        let (since, response) = kept.get(&(connection, request.url.clone()))?;
        (since.elapsed() < KEPT_FOR).then(|| response.clone())
    }

    /// Keeps an answer if it is a certificate; anything else was worth fetching once.
    pub(crate) fn keep(&self, connection: ConnectionId, url: String, response: &HttpResponse) {
        let is_certificate = response.status == OK
            && response.body.len() <= BYTES_MAX
            && response.body.trim_ascii_start().starts_with(PEM);
        if is_certificate {
            self.0.lock().put((connection, url), (Instant::now(), response.clone()));
        }
    }
}

/// Whether the answer to this request is the same for everybody at any time.
pub(crate) fn may_be_kept(request: &HttpRequest) -> bool {
    request.method == Method::Get && request.auth == AuthScheme::None && request.body.is_empty()
}

impl std::fmt::Debug for Certificates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Certificates")
    }
}
