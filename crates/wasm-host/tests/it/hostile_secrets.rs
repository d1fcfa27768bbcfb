//! A guest asks for everything about credentials and puts it wherever something leaves.
//!
//! A guest has oracles (`hmac`, `digest-with-secret`, `secret-equals`), but no values. What it may learn is
//! bounded by the secret's strength, not by the data that it chooses: a digest over nothing but the secret
//! lets a guest, or whoever it tells, try guesses offline, and so does a digest over any other known data,
//! or an HMAC. Refusing empty data would only look like a protection, and signature methods that sign an
//! empty body exist. Provider secrets are random texts that no guessing finds, hence the contract has no
//! such rule.

use hermes_domain::outcome::Outcome;
use hermes_ports::adapter::{AdapterHost, ConnectionAccess};
use serde_json::json;

use crate::{
    capture::{Captured, captured},
    hostile::{bad, fresh_host, host},
    support::{access, asked, done, hex, hmac_sha256, options, sms},
};

/// Declared, and secret.
const SECRET: &str = "Zq7-secret-value";
/// Of the connection, but not declared by the adapter.
const OTHER: &str = "Xw3-other-value";
/// Declared as public.
const PUBLIC: &str = "AC-public-value";

fn connection() -> ConnectionAccess {
    access(
        "hostile",
        json!({ "behaviour": "oracles" }),
        &[("auth_token", SECRET), ("other", OTHER), ("account_id", PUBLIC)],
    )
}

fn sha256(text: &str) -> String {
    hex(ring::digest::digest(&ring::digest::SHA256, text.as_bytes()).as_ref())
}

/// Whether `text` holds `value`, also where letter case or all but letters and digits were lost.
fn holds(text: &str, value: &str) -> bool {
    let bare = |text: &str| -> String {
        text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
    };
    bare(text).contains(&bare(value))
}

/// Everything that left, by way.
fn leaks() -> Vec<(&'static str, String)> {
    let host = fresh_host(options());
    let (step, captured) = captured(|| host.send(&connection(), &sms("hi")));
    let (request, pending) = asked(step.unwrap());
    let Captured { events, series } = captured;
    vec![
        ("log", events.join("\n")),
        ("metric", series.into_iter().collect::<Vec<_>>().join("\n")),
        ("url", request.url.clone()),
        ("header", format!("{:?}", request.headers)),
        ("authentication", format!("{:?}", request.auth)),
        ("body", String::from_utf8(request.body.to_vec()).unwrap()),
        ("notes", String::from_utf8(pending.state.to_vec()).unwrap()),
    ]
}

#[test]
fn no_secret_leaves_by_any_way_and_a_public_credential_by_all() {
    for (way, text) in leaks() {
        for secret in [SECRET, OTHER] {
            assert!(!holds(&text, secret), "{way}: {text}");
        }
        // The capture works, and names of credentials are all that an authentication holds.
        assert_eq!(holds(&text, PUBLIC), way != "authentication", "{way}: {text}");
    }
}

#[test]
fn oracles_answer_for_declared_credentials_only() {
    let leaks = leaks();
    let (_, body) = leaks.iter().find(|(way, _)| *way == "body").unwrap();
    assert!(body.contains(&hex(&hmac_sha256(SECRET, b""))), "{body}");
    assert!(body.contains(&sha256(SECRET)), "{body}");
    assert!(!body.contains(&hex(&hmac_sha256(OTHER, b""))), "{body}");
    assert!(!body.contains(&sha256(OTHER)), "{body}");
    // Nor is there an oracle with an empty key, which would let anybody forge a signature.
    assert!(!body.contains(&hex(&hmac_sha256("", b""))) && !body.contains(&sha256("")), "{body}");
}

#[test]
fn an_outcome_tells_an_operator_no_secret() {
    let mut connection = connection();
    std::sync::Arc::make_mut(&mut connection.connection)
        .config
        .insert("behaviour".to_owned(), "oracles_outcome".into());
    let Outcome::Rejected(failure) = done(host().send(&connection, &sms("hi")).unwrap()) else { panic!() };
    assert_eq!((failure.code.as_deref(), failure.detail.as_deref()), (Some(PUBLIC), Some(PUBLIC)));
}

/// The guest traps if it is given its secret.
#[test]
fn secrets_stay_with_the_host() {
    let (request, _) = asked(host().send(&bad("peek"), &sms("hi")).unwrap());
    assert!(!format!("{request:?}").contains("secret"));
}

/// A fault's text goes to logs, messages and the API.
#[test]
fn a_fault_tells_no_data_of_the_guest() {
    for behaviour in ["crlf", "crlf_name", "authorization", "url_user", "foreign_secret", "long_id"] {
        let (result, captured) = captured(|| host().send(&bad(behaviour), &sms("hi")));
        let fault = result.unwrap_err().to_string();
        for text in captured.events.iter().chain([&fault]) {
            let data = ["Injected", "Bearer", "evil.example", "xxxx", "other"];
            assert!(!data.iter().any(|data| text.contains(data)), "{behaviour}: {text}");
        }
    }
}
