//! Reading request bodies, within limits.

use axum::{body::Body, extract::Request};
use bytes::{Bytes, BytesMut};
use http::{HeaderMap, header, request::Parts};
use http_body_util::BodyExt as _;
use serde_json::Value;

use crate::{
    api::Api,
    json,
    problem::{Code, Problem},
};

/// Limit of an ordinary request, in bytes.
pub(crate) const ORDINARY_MAX: usize = 256 * 1024;
/// Limit of a message with attachments, in bytes.
pub(crate) const ATTACHMENTS_MAX: usize = 10 * 1024 * 1024;
/// Limit of a batch, in bytes.
pub(crate) const BATCH_MAX: usize = 4 * 1024 * 1024;
/// Limit of a provider's callback, in bytes. Meta's hold up to 3 MB.
pub(crate) const CALLBACK_MAX: usize = 4 * 1024 * 1024;
/// Limit of an adapter component, in bytes.
pub(crate) const COMPONENT_MAX: usize = 16 * 1024 * 1024;

/// How much of a body beyond the limit is read and thrown away, so that clients that write first and
/// read afterwards see the answer.
const DISCARD_MAX: usize = 16 * 1024 * 1024;

/// A request whose JSON body has been read.
#[derive(Debug)]
pub(crate) struct Incoming {
    pub(crate) parts: Parts,
    pub(crate) value: Value,
    /// Size of the body.
    pub(crate) bytes: usize,
}

/// Reads a JSON body of at most `max` bytes.
pub(crate) async fn json(api: &Api, request: Request, max: usize) -> Result<Incoming, Problem> {
    let (parts, body) = request.into_parts();
    expect_json(&parts.headers)?;
    let bytes = read(api, &parts.headers, body, max).await?;
    let value = json::parse(&bytes)?;
    Ok(Incoming { parts, value, bytes: bytes.len() })
}

/// Reads a JSON object, or nothing at all, which counts as an empty object.
pub(crate) async fn optional_json(api: &Api, request: Request) -> Result<Incoming, Problem> {
    let (parts, body) = request.into_parts();
    let bytes = read(api, &parts.headers, body, ORDINARY_MAX).await?;
    if bytes.is_empty() {
        return Ok(Incoming { parts, value: Value::Object(serde_json::Map::new()), bytes: 0 });
    }
    expect_json(&parts.headers)?;
    let value = json::parse(&bytes)?;
    Ok(Incoming { parts, value, bytes: bytes.len() })
}

/// Reads a body of any kind.
pub(crate) async fn read(api: &Api, headers: &HeaderMap, body: Body, max: usize) -> Result<Bytes, Problem> {
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.parse::<usize>().ok());
    // A body of unknown size may turn out large: it takes a place as well.
    let _place = if max > ORDINARY_MAX && declared.is_none_or(|bytes| bytes > ORDINARY_MAX) {
        let place = api.large_bodies.try_acquire();
        Some(place.map_err(|_| Problem::new(Code::Overloaded, "Too many large bodies are being read."))?)
    } else {
        None
    };
    let expected = declared.unwrap_or(0);
    collect(body, if expected > max { 0 } else { max }, expected.min(max))
        .await?
        .ok_or_else(|| too_large(max))
}

/// The refusal of a body that ends before it is over, or whose chunks are none.
pub(crate) fn broken(_: axum::Error) -> Problem {
    Problem::new(Code::MalformedJson, "The body broke off.")
}

pub(crate) fn too_large(max: usize) -> Problem {
    Problem::new(Code::PayloadTooLarge, format!("The body is larger than {max} bytes."))
}

/// The body; `None` when it is larger than `max`.
async fn collect(mut body: Body, max: usize, expected: usize) -> Result<Option<Bytes>, Problem> {
    let mut collected = BytesMut::with_capacity(expected);
    let mut first: Option<Bytes> = None;
    let (mut total, mut fits) = (0_usize, true);
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
        total = total.saturating_add(data.len());
        if total > max {
            (fits, first) = (false, None);
            collected = BytesMut::new();
            if total > max.saturating_add(DISCARD_MAX) {
                break;
            }
        } else if fits && first.is_none() && collected.is_empty() {
            first = Some(data); // The common case: one frame, no copy.
        } else if fits {
            if let Some(data) = first.take() {
                collected.extend_from_slice(&data);
            }
            collected.extend_from_slice(&data);
        }
    }
    Ok(fits.then(|| first.unwrap_or_else(|| collected.freeze())))
}

fn expect_json(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let utf8 = parts.all(|parameter| {
        let charset = parameter.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
        charset.is_none_or(|(_, value)| value.trim_matches('"').eq_ignore_ascii_case("utf-8"))
    });
    let encoded = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value != "identity");
    if essence.eq_ignore_ascii_case("application/json") && utf8 && !encoded {
        return Ok(());
    }
    let detail =
        "Send the body as `Content-Type: application/json`, in UTF-8 and without a content encoding.";
    Err(Problem::new(Code::UnsupportedMediaType, detail))
}
