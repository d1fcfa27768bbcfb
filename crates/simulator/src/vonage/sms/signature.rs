//! `sig`: over the parameters of requests and reports, sorted by name.
//!
//! As documented, and as Vonage's Python SDKs have it; the Node SDK builds another string.

use std::{collections::BTreeMap, fmt::Write};

use hmac::{Hmac, Mac};
use md5::{Digest, Md5};
use ring::hmac::{self as ring_hmac, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512};

use crate::VonageSignatureMethod;

/// Signs parameters, which may come in any order and must not hold `sig`. Upper-case hex.
pub(super) fn sign<'a>(
    method: VonageSignatureMethod,
    secret: &str,
    parameters: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> String {
    let text = text(parameters);
    let with_ring = |algorithm| {
        let key = ring_hmac::Key::new(algorithm, secret.as_bytes());
        hex::encode_upper(ring_hmac::sign(&key, text.as_bytes()))
    };
    match method {
        VonageSignatureMethod::Md5Hash => hex::encode_upper(Md5::digest(format!("{text}{secret}"))),
        VonageSignatureMethod::Md5Hmac => md5_hmac(secret, &text),
        VonageSignatureMethod::Sha1Hmac => with_ring(HMAC_SHA1_FOR_LEGACY_USE_ONLY),
        VonageSignatureMethod::Sha256Hmac => with_ring(HMAC_SHA256),
        VonageSignatureMethod::Sha512Hmac => with_ring(HMAC_SHA512),
    }
}

/// `&name=value` for each, with `&` and `=` in values replaced.
fn text<'a>(parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let sorted: BTreeMap<_, _> = parameters.into_iter().collect();
    sorted.into_iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string cannot fail.
        let _ = write!(text, "&{name}={}", value.replace(['&', '='], "_"));
        text
    })
}

/// HMAC takes keys of any length, so there always is one; an empty text would match no signature.
fn md5_hmac(secret: &str, text: &str) -> String {
    Hmac::<Md5>::new_from_slice(secret.as_bytes())
        .map(|mac| hex::encode_upper(mac.chain_update(text).finalize().into_bytes()))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARAMETERS: [(&str, &str); 13] = [
        ("msisdn", "447700900000"),
        ("to", "AcmeInc"),
        ("network-code", "23410"),
        ("messageId", "0A0000001234567B"),
        ("price", "0.03330000"),
        ("status", "delivered"),
        ("scts", "2611240200"),
        ("err-code", "0"),
        ("api-key", "abcd1234"),
        ("client-ref", "hermes&a=42"),
        ("message-timestamp", "2026-11-24 02:00:00"),
        ("timestamp", "1795485600"),
        ("nonce", "ec11dd3e-1e7f-4db5-9467-82b02cd223b9"),
    ];

    /// Made with Vonage's Python SDKs 3.18.0 and 4.9.1.
    #[test]
    fn the_official_sdk_agrees() {
        for (method, expected) in [
            (VonageSignatureMethod::Md5Hash, "e2f2ac72f2681ae9408bae09c26fcb21"),
            (VonageSignatureMethod::Md5Hmac, "e2a19c4034a0bea772c17b0406a6934e"),
            (VonageSignatureMethod::Sha1Hmac, "7896ed7b26acd75b1b99dc78cf5812d448db05aa"),
            (
                VonageSignatureMethod::Sha256Hmac,
                "4941e2c28b0848be83c39495bdd0acb2ae3cbae76d2d33113e90c69436ea108d",
            ),
            (
                VonageSignatureMethod::Sha512Hmac,
                "9a65287abeb5b9b058221ca985a592573f4b1fed65bd32f18065e230a9870bc415d1670c6294ca1030733c2f021062\
                 a9992a926709ad5712209ef9447ce61c12",
            ),
        ] {
            let secret = "SIGNATURE_SECRET_0123456789abcdef";
            assert_eq!(sign(method, secret, PARAMETERS), expected.to_uppercase(), "{method:?}");
            assert_ne!(sign(method, "another", PARAMETERS), expected.to_uppercase(), "{method:?}");
        }
    }

    #[test]
    fn names_are_sorted_and_values_replaced() {
        assert_eq!(text([("to", "a=b&c"), ("a&b", "1")]), "&a&b=1&to=a_b_c");
    }
}
