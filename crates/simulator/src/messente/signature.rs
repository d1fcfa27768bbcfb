//! `X-Messente-Signature`: lower-case hex HMAC-SHA256 over the raw body.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, header};
use ring::hmac;
use url::Url;

use crate::receipts::Outgoing;

const SIGNATURE: HeaderName = HeaderName::from_static("x-messente-signature");

fn sign(key: &str, body: &[u8]) -> String {
    hex::encode(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes()), body))
}

/// A request to `url`, signed with `key`.
pub(super) fn signed(url: Url, key: &str, body: Vec<u8>) -> Option<Outgoing> {
    let signature = HeaderValue::try_from(sign(key, &body)).ok()?;
    let content_type = HeaderValue::from_static("application/json");
    let headers = vec![(header::CONTENT_TYPE, content_type), (SIGNATURE, signature)];
    Some(Outgoing { url, headers, body: Bytes::from(body) })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made with Python's `hmac` and with OpenSSL.
    #[test]
    fn the_vectors_agree() {
        let report = br#"{"status":"DELIVRD","sender":"MySender","err":0,"message_id":"3e28ec48-d620-4191-a96e-d91ba8ecc949","to":"+3725555555","channel":"sms","error":null,"omnimessage_id":"d7248cda-6c1a-4436-acf5-aaf249bb67d3","timestamp":"2026-11-24T02:00:00.389630","price_info":{"part_price":"0.1","parts_count":2,"total_price":"0.2"}}"#;
        let inbound = r#"{"msg_id":"1f5197ec-b4d7-4d5f-8bba-e005d1cadba1","sub_msg_id":"d276e75e-e9f5-4b44-88aa-d5c7b38a1e4a","channel":"sms","recipient":"1234","time":"2026-11-24T02:00:00.000000Z","text":"STOP päring","sender":"+37251000000"}"#;
        assert_eq!(
            sign("messente-api-password", report),
            "bc220cea6e7747e72eb6609827a0f35c384a1712580e5fdc5828975931643308"
        );
        assert_eq!(
            sign("inbound-shared-secret", inbound.as_bytes()),
            "dbb21697edb5e2111489a73dfc78a3da02cb9907d6fa0c3bc6ce0d5e5d1651a1"
        );
    }
}
