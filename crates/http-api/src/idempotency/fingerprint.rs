//! What makes two requests the same: method, path and canonical JSON.

use http::Method;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::json::write_canonical;

/// SHA-256 over method, path and body.
pub(crate) type Fingerprint = [u8; 32];

/// Of a request with a JSON body.
pub(crate) fn fingerprint(method: &Method, path: &str, body: &Value) -> Fingerprint {
    let mut hash = begin(method, path);
    // A hash takes every byte: writing to it cannot fail.
    let _ = write_canonical(body, &mut hash);
    hash.finalize().into()
}

/// Of a request with a body of another kind.
pub(crate) fn fingerprint_bytes(method: &Method, path: &str, body: &[u8]) -> Fingerprint {
    begin(method, path).chain_update(body).finalize().into()
}

/// The beginning of the fingerprint of a body that arrives in pieces.
pub(crate) fn begin(method: &Method, path: &str) -> Sha256 {
    Sha256::new_with_prefix(method.as_str()).chain_update(b"\n").chain_update(path).chain_update(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn method_path_and_meaning_of_the_body_count() {
        let of = |method: &Method, path: &str, text: &str| {
            fingerprint(method, path, &serde_json::from_str::<Value>(text).unwrap())
        };
        let first = of(&Method::POST, "/v1/messages", r#"{"a": 1, "b": 2}"#);
        assert_eq!(first, of(&Method::POST, "/v1/messages", r#"{"b":2,"a":1}"#));
        for other in [
            of(&Method::POST, "/v1/messages", r#"{"a": 1, "b": 3}"#),
            of(&Method::POST, "/v1/batches", r#"{"a": 1, "b": 2}"#),
            of(&Method::PUT, "/v1/messages", r#"{"a": 1, "b": 2}"#),
        ] {
            assert_ne!(first, other);
        }
        let bytes = fingerprint_bytes(&Method::POST, "/x", b"1");
        assert_eq!(bytes, fingerprint(&Method::POST, "/x", &json!(1)));
    }
}
