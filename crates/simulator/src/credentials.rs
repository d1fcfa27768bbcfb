//! Log-in data, read and compared.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, header};
use ring::digest::{SHA256, digest};

use crate::inbound::header_text;

/// User and password of HTTP Basic; `None` if there are none or they cannot be read.
pub(crate) fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let (scheme, encoded) = header_text(headers, header::AUTHORIZATION)?.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// Compares digests, so that the time taken tells nothing about where the texts differ.
pub(crate) fn same(expected: &str, given: &str) -> bool {
    digest(&SHA256, expected.as_bytes()).as_ref() == digest(&SHA256, given.as_bytes()).as_ref()
}
