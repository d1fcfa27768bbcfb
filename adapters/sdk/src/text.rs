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

/// `text` as one segment of a path or one value of a query (RFC 3986): everything but unreserved characters encoded.
pub fn percent_encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}
