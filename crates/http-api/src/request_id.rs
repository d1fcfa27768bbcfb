//! The id of a request: the client's, if it gave a usable one, else ours.

use hermes_directory::Mint;
use http::{HeaderMap, HeaderName, HeaderValue};

/// Where it travels.
pub(crate) const HEADER: HeaderName = HeaderName::from_static("x-request-id");
/// Longest id taken from a client, in bytes.
const BYTES_MAX: usize = 128;

/// The id of a request.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(HeaderValue);

impl RequestId {
    pub(crate) fn of(headers: &HeaderMap, mint: &Mint) -> Self {
        let usable = |value: &&HeaderValue| {
            let bytes = value.as_bytes();
            (1..=BYTES_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
        };
        let minted = || {
            let id = mint.request().to_string();
            HeaderValue::try_from(id).unwrap_or_else(|_| HeaderValue::from_static("req_unknown"))
        };
        Self(headers.get(HEADER).filter(usable).cloned().unwrap_or_else(minted))
    }

    pub(crate) fn as_str(&self) -> &str {
        self.0.to_str().unwrap_or("req_unknown") // Only visible ASCII comes in.
    }

    pub(crate) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}
