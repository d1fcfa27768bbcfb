//! Signatures as Standard Webhooks defines them. Pure.
//!
//! Source: the Standard Webhooks specification, "Symmetric signatures": HMAC-SHA256 over
//! `<id>.<timestamp>.<body>`, base64, with the scheme's version in front; several, separated by spaces,
//! while a secret rotates.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;

const PREFIX: &str = "whsec_";
const SCHEME: &str = "v1,";

/// A secret that is not `whsec_` and base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a signing secret is damaged")]
pub(crate) struct DamagedSecret;

/// The value of `webhook-signature`: one signature per secret, in the same order.
///
/// # Errors
/// [`DamagedSecret`] if any of them is; an unsigned or half-signed notification must not be sent.
pub(crate) fn signatures(
    secrets: &[String],
    id: &str,
    timestamp_s: u64,
    body: &[u8],
) -> Result<String, DamagedSecret> {
    let mut value = String::with_capacity(secrets.len() * 48);
    for secret in secrets {
        if !value.is_empty() {
            value.push(' ');
        }
        value.push_str(SCHEME);
        STANDARD.encode_string(signature(secret, id, timestamp_s, body)?, &mut value);
    }
    if value.is_empty() { Err(DamagedSecret) } else { Ok(value) }
}

fn signature(secret: &str, id: &str, timestamp_s: u64, body: &[u8]) -> Result<[u8; 32], DamagedSecret> {
    let encoded = secret.strip_prefix(PREFIX).ok_or(DamagedSecret)?;
    let key = STANDARD.decode(encoded).map_err(|_| DamagedSecret)?;
    let mut hmac = Hmac::<Sha256>::new_from_slice(&key).map_err(|_| DamagedSecret)?;
    for part in [id.as_bytes(), b".", timestamp_s.to_string().as_bytes(), b".", body] {
        hmac.update(part);
    }
    Ok(hmac.finalize().into_bytes().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(base64: &str) -> String {
        format!("{PREFIX}{base64}")
    }

    #[test]
    fn the_published_vectors_hold() {
        // Test vector of the reference implementations (standard-webhooks/libraries).
        let signed = signatures(
            &[secret("C2FVsBQIhrscChlQIMV+b5sSYspob7oD")],
            "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
            1_649_367_553,
            br#"{"email":"test@example.com","username":"test_user"}"#,
        );
        assert_eq!(signed.unwrap(), "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=");
        let signed = signatures(
            &[secret("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        // Example in the specification.
        let signed = signatures(
            &[secret("plJ3nmyCDGBKInavdOK15jsl")],
            "msg_loFOjxBNrRLzqYUf",
            1_731_705_121,
            br#"{"event_type":"ping","data":{"success":true}}"#,
        );
        assert_eq!(signed.unwrap(), "v1,rAvfW3dJ/X/qxhsaXPOyyCGmRKsaKWcsNccKXlIktD0=");
    }

    #[test]
    fn a_rotating_endpoint_signs_with_every_secret() {
        let (old, new) = (secret("C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), secret("plJ3nmyCDGBKInavdOK15jsl"));
        let single = |secret: &String| signatures(std::slice::from_ref(secret), "evt_1", 7, b"{}").unwrap();
        let both = signatures(&[new.clone(), old.clone()], "evt_1", 7, b"{}").unwrap();
        assert_eq!(both, format!("{} {}", single(&new), single(&old)));
    }

    #[test]
    fn nothing_is_sent_under_a_damaged_secret() {
        for secrets in [vec![], vec!["whsec_*".to_owned()], vec!["bare".to_owned()]] {
            assert_eq!(signatures(&secrets, "evt_1", 7, b"{}"), Err(DamagedSecret));
        }
    }
}
