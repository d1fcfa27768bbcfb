//! The assertions of `tests/specs/vectors-fcm.json`, checked with `PyJWT` and made by Google's own library.

use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::Value;

use super::*;
use crate::{demo, pem};

/// 2026-01-02T03:04:05Z.
const NOW_S: i64 = 1_767_323_045;
const OWN: &str = "http://127.0.0.1:1/token";

fn fcm() -> Fcm {
    let fcm = Fcm::new();
    fcm.add_accounts(&demo::accounts().fcm).unwrap();
    fcm
}

/// The refusal, if any.
fn refusal(assertion: &str, now_s: i64) -> Option<Refused> {
    verify(&fcm(), assertion, OWN, now_s).err()
}

fn signed(header: Value, claims: Value) -> String {
    let account = demo::fcm_service_account("");
    let der = pem::body(account["private_key"].as_str().unwrap()).unwrap();
    let key = RsaKeyPair::from_pkcs8(&der).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
    format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims() -> Value {
    json!({
        "iss": "hermes@hermes-test.iam.gserviceaccount.com",
        "scope": SCOPES[0],
        "aud": GOOGLE_AUDIENCE,
        "iat": NOW_S,
        "exp": NOW_S + 3600,
    })
}

fn refusal_with(change: impl FnOnce(&mut Value)) -> Option<Refused> {
    let mut claims = claims();
    change(&mut claims);
    refusal(&signed(json!({ "alg": "RS256", "typ": "JWT" }), claims), NOW_S)
}

#[test]
fn both_vectors_are_accepted_and_a_changed_one_is_not() {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../../schema/providers/vectors-fcm.json")).unwrap();
    for name in ["assertion", "same_instant_assertion_by_google_auth"] {
        let assertion = vectors[name].as_str().unwrap();
        assert_eq!(refusal(assertion, NOW_S), None, "{name}");
        assert_eq!(refusal(&assertion.replace(".eyJ", ".eyK"), NOW_S), Some(BAD_JWT), "{name}");
        assert_eq!(refusal(assertion, NOW_S - 301), Some(BAD_TIME), "{name}");
        assert_eq!(refusal(assertion, NOW_S + 3600 + 300), Some(BAD_TIME), "{name}");
        let (signed, _) = assertion.rsplit_once('.').unwrap();
        assert_eq!(refusal(&format!("{signed}.AAAA"), NOW_S), Some(BAD_SIGNATURE), "{name}");
    }
}

#[test]
fn each_claim_matters() {
    assert_eq!(refusal_with(|_| {}), None);
    assert_eq!(refusal_with(|claims| claims["aud"] = OWN.into()), None);
    assert_eq!(refusal_with(|claims| claims["iss"] = "someone@else".into()), Some(UNKNOWN_ACCOUNT));
    assert_eq!(refusal_with(|claims| claims["scope"] = "openid".into()), Some(BAD_SCOPE));
    assert_eq!(refusal_with(|claims| claims["exp"] = (NOW_S + 3601).into()), Some(BAD_TIME));
    assert!(refusal_with(|claims| claims["aud"] = "https://example.com/token".into()).is_some());
    let other_key = signed(json!({ "alg": "RS256", "kid": "0" }), claims());
    assert_eq!(refusal(&other_key, NOW_S), Some(BAD_SIGNATURE));
    let other_algorithm = signed(json!({ "alg": "HS256" }), claims());
    assert_eq!(refusal(&other_algorithm, NOW_S), Some(BAD_SIGNATURE));
}

#[test]
fn the_form_is_checked_before_the_assertion() {
    let error = |form: &str| grant(&fcm(), form, OWN, NOW_S * 1000).unwrap_err().error;
    assert_eq!(error(""), "invalid_request");
    assert_eq!(error("grant_type=password"), "unsupported_grant_type");
    assert_eq!(error("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer"), "invalid_request");
}
