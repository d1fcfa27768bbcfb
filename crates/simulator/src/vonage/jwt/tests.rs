use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use serde_json::json;

use super::*;
use crate::{VonageAccount, VonageApplication, demo, pem, vonage::read_accounts};

const NOW_S: i64 = 1_795_485_600;

fn vonage() -> Vonage {
    let vonage = Vonage::new(0);
    let other = VonageAccount {
        api_key: "other000".into(),
        application: Some(VonageApplication {
            id: "other-application".into(),
            key: include_str!("../../ses/test_key.pem").into(),
            status_url: None,
            inbound_url: None,
        }),
        ..demo::vonage()
    };
    read_accounts(vec![demo::vonage(), other])
        .unwrap()
        .into_iter()
        .for_each(|account| vonage.add_account(account));
    vonage
}

fn claims() -> Value {
    json!({
        "application_id": demo::vonage().application.unwrap().id,
        "iat": NOW_S, "exp": NOW_S + 900, "jti": "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
    })
}

fn token(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let key = RsaKeyPair::from_pkcs8(&pem::body(demo::VONAGE_PRIVATE_KEY).unwrap()).unwrap();
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).unwrap();
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn opens(header: &Value, claims: &Value, now_s: i64) -> Result<String, Refused> {
    log_in(&vonage(), &token(header, claims), now_s).map(|account| account.settings.api_key.clone())
}

#[test]
fn a_token_logs_in_until_it_expires() {
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    assert_eq!(opens(&header, &claims(), NOW_S), Ok("abcd1234".into()));
    assert_eq!(opens(&header, &claims(), NOW_S - 60), Ok("abcd1234".into()), "a clock may be ahead");
    assert_eq!(opens(&header, &claims(), NOW_S + 899), Ok("abcd1234".into()));
    assert_eq!(opens(&header, &claims(), NOW_S + 900), Err(Refused::Expired));
    assert_eq!(opens(&header, &claims(), NOW_S - 61), Err(Refused::Unauthorized));
}

#[test]
fn wrong_claims_headers_and_keys_are_refused() {
    let header = json!({ "alg": "RS256", "typ": "JWT" });
    let with = |name: &str, value: Value| {
        let mut claims = claims();
        claims[name] = value;
        claims
    };
    for (header, claims) in [
        (json!({ "alg": "HS256", "typ": "JWT" }), claims()),
        (json!({ "alg": "none" }), claims()),
        (json!({ "alg": "RS256", "typ": "at+jwt" }), claims()),
        (header.clone(), with("application_id", "unknown".into())),
        // Known, but with another key.
        (header.clone(), with("application_id", "other-application".into())),
        (header.clone(), with("application_id", Value::Null)),
        (header.clone(), with("jti", Value::Null)),
        (header.clone(), with("jti", "".into())),
        (header.clone(), with("iat", Value::Null)),
        (header.clone(), with("iat", "now".into())),
        (header.clone(), with("exp", Value::Null)),
        (header.clone(), with("exp", NOW_S.into())),
        (header.clone(), with("exp", (NOW_S + 24 * 3600 + 1).into())),
    ] {
        assert_eq!(opens(&header, &claims, NOW_S), Err(Refused::Unauthorized), "{header} {claims}");
    }
    let good = token(&header, &claims());
    let (signed, _) = good.rsplit_once('.').unwrap();
    for text in ["", "a.b", "a.b.c", signed, &good[..good.len() - 4], &format!("{signed}.AAAA")] {
        assert_eq!(log_in(&vonage(), text, NOW_S).unwrap_err(), Refused::Unauthorized, "{text}");
    }
}

/// Made with Python's JWT library 2.15; accepted by Vonage's own Python and Node verifiers.
#[test]
fn a_callback_token_is_the_published_one() {
    let body = r#"{"message_uuid":"aaaaaaaa-bbbb-4ccc-8ddd-0123456789ab","to":"447700900000","from":"447700900001","timestamp":"2026-11-24T02:00:00.000Z","status":"delivered","client_ref":"hermes-42","usage":{"currency":"EUR","price":"0.0333"},"channel":"sms","destination":{"network_code":"23410"},"sms":{"count_total":"1"}}"#;
    let claims = CallbackClaims {
        iat: 1_700_000_000,
        jti: "c5ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        body: body.as_bytes(),
        api_key: "abcd1234",
        application_id: "aaaaaaaa-bbbb-cccc-dddd-0123456789ab",
    };
    let expected = concat!(
        "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.",
        "eyJpYXQiOjE3MDAwMDAwMDAsImp0aSI6ImM1YmE4ZjI0LTFhMTQtNGMxMC1iZmRmLTNmYmU4Y2U1MTFiNSIsImlzcyI6IlZvbmFn",
        "ZSIsInBheWxvYWRfaGFzaCI6IjZlYjhiNGJkZWM1NmVhOWU1YjFjMDA4ZTk5ODZlYmNlNjJkNWYyOWIwNjRlZjAxMmU5MTg5ODFj",
        "YWZmY2JjZGMiLCJhcGlfa2V5IjoiYWJjZDEyMzQiLCJhcHBsaWNhdGlvbl9pZCI6ImFhYWFhYWFhLWJiYmItY2NjYy1kZGRkLTAx",
        "MjM0NTY3ODlhYiJ9.pbhkA565Iq784M6xCPL2JODfFAeVhsmsu40SYGQ5Bpg",
    );
    assert_eq!(claims.sign("SIGNATURE_SECRET_0123456789abcdef"), expected);
    assert_ne!(claims.sign("another"), expected);
}
