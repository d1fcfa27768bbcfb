//! What is inside a parked receipt: one encoding for those who park and those who try again.

use bytes::Bytes;
use hermes_domain::{UnixMillis, outcome::Receipt};
use serde::{Deserialize, Serialize};

use crate::http::{Method, Webhook};

/// The head of an encoded webhook; its raw body follows after a line feed.
#[derive(Serialize, Deserialize)]
struct Head {
    post: bool,
    url: String,
    headers: Vec<(String, String)>,
    received_at: UnixMillis,
}

/// The body of an orphan or a quarantined receipt.
///
/// # Panics
/// Never: a receipt always serialises.
pub fn encode_receipt(receipt: &Receipt) -> Bytes {
    #[expect(clippy::expect_used, reason = "plain values with text keys: there is no case that fails")]
    serde_json::to_vec(receipt).expect("a receipt serialises").into()
}

/// Reads what [`encode_receipt`] wrote; `None` when it is damaged.
pub fn decode_receipt(body: &[u8]) -> Option<Receipt> {
    serde_json::from_slice(body).ok()
}

/// The body of an unverified receipt: the whole webhook.
///
/// # Panics
/// Never: a webhook always serialises.
pub fn encode_webhook(webhook: &Webhook) -> Bytes {
    let head = Head {
        post: webhook.method == Method::Post,
        url: webhook.url.clone(),
        headers: webhook.headers.clone(),
        received_at: webhook.received_at,
    };
    #[expect(clippy::expect_used, reason = "plain values with text keys: there is no case that fails")]
    let mut bytes = serde_json::to_vec(&head).expect("a webhook serialises");
    bytes.push(b'\n');
    bytes.extend_from_slice(&webhook.body);
    bytes.into()
}

/// Reads what [`encode_webhook`] wrote; `None` when it is damaged.
pub fn decode_webhook(bytes: &Bytes) -> Option<Webhook> {
    // JSON writes line feeds inside texts as \n, so the first raw one ends the head.
    let end = bytes.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
    let method = if head.post { Method::Post } else { Method::Get };
    let Head { url, headers, received_at, .. } = head;
    Some(Webhook { method, url, headers, body: bytes.slice(end + 1..), received_at })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_survives_with_every_byte_of_its_body() {
        let webhook = Webhook {
            method: Method::Post,
            url: "https://hermes.example/receipts/ses/prv_1?a=b\nc".into(),
            headers: vec![("x-signature".into(), "s\n1".into())],
            body: Bytes::from_static(b"\n{\"a\": 1}\n\xff"),
            received_at: UnixMillis(1_767_323_045_678),
        };
        assert!(decode_webhook(&encode_webhook(&webhook)) == Some(webhook));
        assert!(decode_webhook(&Bytes::from_static(b"{}")).is_none());
    }
}
