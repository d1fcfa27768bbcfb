//! Reading JSON, and making texts safe.

use serde_json::Value;

/// The body as JSON; `Null` when it is none, so that every lookup in it finds nothing.
pub fn json(body: &[u8]) -> Value {
    serde_json::from_slice(body).unwrap_or(Value::Null)
}

/// The text at `pointer` (RFC 6901), if it is a text and not empty.
pub fn pick<'a>(value: &'a Value, pointer: &str) -> Option<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// `text` with everything but letters, digits, `_` and `-` replaced by `-`, cut at `chars_max`.
pub fn sanitized(text: &str, chars_max: usize) -> String {
    let safe =
        |char: char| if char.is_ascii_alphanumeric() || char == '_' || char == '-' { char } else { '-' };
    text.chars().map(safe).take(chars_max).collect()
}
