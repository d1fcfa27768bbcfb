//! The vectors of `tests/specs/vectors-ses.json`, made with botocore 1.44.5.

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use super::*;
use crate::demo;

struct Case {
    account: SesAccount,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: String,
    canonical_request: String,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn cases() -> Vec<Case> {
    let vectors: Value =
        serde_json::from_str(include_str!("../../../../../schema/providers/vectors-ses.json")).unwrap();
    let case = |vector: &Value| {
        let mut headers = HeaderMap::new();
        for (name, value) in vector["headers_signed"].as_object().unwrap() {
            let name = name.parse::<HeaderName>().unwrap();
            headers.insert(name, HeaderValue::from_str(value.as_str().unwrap()).unwrap());
        }
        headers.insert(
            header::AUTHORIZATION,
            HeaderValue::from_str(vector["authorization"].as_str().unwrap()).unwrap(),
        );
        Case {
            account: SesAccount {
                session_token: vector["session_token"].as_str().map(str::to_owned),
                ..demo::ses()
            },
            method: text(&vector["method"]).parse().unwrap(),
            uri: text(&vector["url"]).parse().unwrap(),
            headers,
            body: text(&vector["body"]),
            canonical_request: text(&vector["canonical_request"]),
        }
    };
    vectors["sigv4"].as_array().unwrap().iter().map(case).collect()
}

fn check(case: &Case, now: &str) -> Result<(), Fault> {
    let signed =
        Signed { method: &case.method, uri: &case.uri, headers: &case.headers, body: case.body.as_bytes() };
    let authorization = Authorization::parse(&case.headers)?;
    authorization.check(&case.account, &signed, clock::parse_rfc3339(now).unwrap())
}

const AT: &str = "2026-01-02T03:04:05Z";

#[test]
fn the_four_vectors_are_accepted() {
    let cases = cases();
    assert_eq!(cases.len(), 4);
    for case in &cases {
        let signed = Signed {
            method: &case.method,
            uri: &case.uri,
            headers: &case.headers,
            body: case.body.as_bytes(),
        };
        let canonical = Authorization::parse(&case.headers).unwrap().canonical_request(&signed).unwrap();
        assert_eq!(canonical, case.canonical_request);
        check(case, AT).unwrap();
    }
}

#[test]
fn any_change_is_refused() {
    let code = |change: fn(&mut Case)| {
        let mut case = cases().remove(1);
        change(&mut case);
        check(&case, AT).unwrap_err().code
    };
    assert_eq!(code(|case| case.body.push(' ')), "SignatureDoesNotMatch");
    assert_eq!(code(|case| case.uri = "/v2/email/account".parse().unwrap()), "SignatureDoesNotMatch");
    assert_eq!(code(|case| case.account.secret_access_key.push('x')), "SignatureDoesNotMatch");
    assert_eq!(code(|case| case.account.region = "us-east-1".into()), "SignatureDoesNotMatch");
    assert_eq!(code(|case| case.account.session_token = None), "UnrecognizedClientException");
    let unsigned = |case: &mut Case| {
        case.headers.insert("x-amz-extra", HeaderValue::from_static("1"));
    };
    assert_eq!(code(unsigned), "SignatureDoesNotMatch");
    let without = |case: &mut Case| {
        case.headers.remove(header::AUTHORIZATION);
    };
    assert_eq!(code(without), "MissingAuthenticationTokenException");
    let cut = |case: &mut Case| {
        case.headers
            .insert(header::AUTHORIZATION, HeaderValue::from_static("AWS4-HMAC-SHA256 Credential=a/b"));
    };
    assert_eq!(code(cut), "IncompleteSignatureException");
}

#[test]
fn a_clock_more_than_five_minutes_off_is_refused() {
    let case = &cases()[0];
    check(case, "2026-01-02T03:09:05Z").unwrap();
    check(case, "2026-01-02T02:59:05Z").unwrap();
    let late = check(case, "2026-01-02T03:09:06Z").unwrap_err();
    assert_eq!(late.code, "InvalidSignatureException");
    assert!(late.message.starts_with("Signature expired"));
    let early = check(case, "2026-01-02T02:59:04Z").unwrap_err();
    assert!(early.message.starts_with("Signature not yet current"));
}
