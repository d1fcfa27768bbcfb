//! Signatures of webhooks (Standard Webhooks): HMAC-SHA256 of `id.timestamp.body`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac as _};
use sha2::Sha256;

/// What endpoint secrets begin with.
const PREFIX: &str = "whsec_";

/// An endpoint's secret.
#[derive(Clone)]
pub(super) struct Secret(Vec<u8>);

impl Secret {
    /// Reads `whsec_<base64>`; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text.strip_prefix(PREFIX)?).ok().map(Self)
    }

    /// Whether one of the signatures in `header` (`v1,<base64>`, separated by spaces) is right.
    pub(super) fn verifies(&self, id: &str, timestamp: &str, body: &[u8], header: &str) -> bool {
        let Ok(mut expected) = Hmac::<Sha256>::new_from_slice(&self.0) else { return false };
        for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
            expected.update(part);
        }
        header.split(' ').filter_map(|signature| signature.strip_prefix("v1,")).any(|signature| {
            STANDARD.decode(signature).is_ok_and(|given| expected.clone().verify_slice(&given).is_ok())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the Standard Webhooks specification and of its reference libraries.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const TIMESTAMP: &str = "1614265330";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    #[test]
    fn the_published_example_verifies_also_among_others() {
        let secret = Secret::parse(SECRET).unwrap();
        assert!(secret.verifies(ID, TIMESTAMP, BODY, SIGNATURE));
        assert!(secret.verifies(ID, TIMESTAMP, BODY, &format!("v1,AAAA v2,x {SIGNATURE}")));
    }

    #[test]
    fn anything_else_does_not() {
        let secret = Secret::parse(SECRET).unwrap();
        assert!(!secret.verifies(ID, TIMESTAMP, b"{}", SIGNATURE));
        assert!(!secret.verifies(ID, "1614265331", BODY, SIGNATURE));
        assert!(!secret.verifies(ID, TIMESTAMP, BODY, &SIGNATURE[3..]));
        assert!(Secret::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_none());
    }
}
