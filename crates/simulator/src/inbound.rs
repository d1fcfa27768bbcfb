//! Reading requests whole: every provider checks its signature or token over the bytes as they came.

use axum::{
    body::{Bytes, to_bytes},
    extract::Request,
};
use http::{HeaderMap, header, request::Parts};

/// The body is larger than the provider takes, or broke off.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BodyTooLarge;

/// Reads a request with at most `body_bytes_max` bytes of body.
pub(crate) async fn read(request: Request, body_bytes_max: usize) -> Result<(Parts, Bytes), BodyTooLarge> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, body_bytes_max).await.map_err(|_| BodyTooLarge)?;
    Ok((parts, body))
}

/// A header's text, if present and readable.
pub(crate) fn header_text(headers: &HeaderMap, name: impl header::AsHeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

/// Whether the content type is `expected`, whatever its parameters.
pub(crate) fn has_content_type(headers: &HeaderMap, expected: &str) -> bool {
    header_text(headers, header::CONTENT_TYPE)
        .map(|value| value.split(';').next().unwrap_or_default().trim())
        .is_some_and(|value| value.eq_ignore_ascii_case(expected))
}

/// A query parameter, decoded.
pub(crate) fn query_parameter(query: Option<&str>, name: &str) -> Option<String> {
    form_urlencoded::parse(query?.as_bytes())
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}
