//! Everything that can be wrong with a request: the right code, the right places, never a 500.

mod bodies;
mod plans;
mod surroundings;

use serde_json::Value;

use crate::{
    app::{App, LIVE, sms},
    client::Call,
    contract,
};

struct Case {
    name: &'static str,
    call: Call,
    status: u16,
    code: &'static str,
    pointers: &'static [&'static str],
}

fn case(
    name: &'static str,
    call: Call,
    (status, code): (u16, &'static str),
    pointers: &'static [&'static str],
) -> Case {
    Case { name, call, status, code, pointers }
}

fn message(body: &Value) -> Call {
    Call::new("POST", "/v1/messages").key(LIVE).json(body)
}

fn raw(body: impl Into<Vec<u8>>) -> Call {
    Call::new("POST", "/v1/messages").key(LIVE).header("content-type", "application/json").bytes(body)
}

fn get(path: &str) -> Call {
    Call::new("GET", path).key(LIVE)
}

const MALFORMED: (u16, &str) = (400, "malformed_json");
const HEADER: (u16, &str) = (400, "header_invalid");
const SCHEMA: (u16, &str) = (422, "schema_invalid");
const RECIPIENT: (u16, &str) = (422, "recipient_invalid");
const CONTENT: (u16, &str) = (422, "content_rejected");
const ROUTE: (u16, &str) = (422, "no_route");
const PARAMETER: (u16, &str) = (422, "parameter_invalid");
const UNAUTHENTICATED: (u16, &str) = (401, "unauthenticated");
const NOT_FOUND: (u16, &str) = (404, "not_found");

/// Groups whose bodies are JSON.
fn shaped() -> Vec<Vec<Case>> {
    vec![
        bodies::not_an_object(),
        bodies::wrong_recipients(),
        bodies::wrong_contents(),
        bodies::wrong_attachments(),
        plans::wrong_cascades(),
        plans::wrong_routes(),
        plans::wrong_settings(),
    ]
}

#[tokio::test]
async fn every_malformed_request_is_refused_for_what_is_wrong_with_it() {
    let app = App::start().await;
    let groups = [
        shaped(),
        vec![bodies::not_json()],
        vec![surroundings::wrong_keys(), surroundings::wrong_bodies(), surroundings::wrong_headers()],
        vec![surroundings::wrong_paths(), surroundings::wrong_resources()],
    ];
    let cases: Vec<Case> = groups.into_iter().flatten().flatten().collect();
    assert!(cases.len() >= 60, "{}", cases.len());
    for Case { name, call, status, code, pointers } in cases {
        let answer = app.call(call.clone()).await;
        assert_eq!((answer.status, answer.code().as_str()), (status, code), "{name}: {}", answer.text);
        let (mut found, mut wanted) = (answer.pointers(), pointers.to_vec());
        found.sort();
        wanted.sort_unstable();
        assert_eq!(found, wanted, "{name}: {}", answer.text);
    }
}

/// What is refused for its shape is refused by the document too; what is accepted is accepted.
#[test]
fn the_document_s_schema_agrees_with_what_is_refused() {
    // Rules that JSON Schema cannot tell, or that are about this installation.
    let beyond = [
        "stored cascade unknown",
        "level out of reach",
        "send_at no instant",
        "send_at too far",
        "expired already",
        "text with NUL",
    ];
    for case in shaped().into_iter().flatten() {
        let body: Value = serde_json::from_slice(&case.call.body).unwrap();
        let faults = contract::faults_of("SendRequest", &body);
        match case.code {
            "schema_invalid" if !beyond.contains(&case.name) => assert!(!faults.is_empty(), "{}", case.name),
            "recipient_invalid" | "content_rejected" | "no_route" => {
                assert!(faults.is_empty(), "{}: {faults:?}", case.name);
            }
            _ => {}
        }
    }
    assert_eq!(contract::faults_of("SendRequest", &sms()), Vec::<String>::new());
    assert_eq!(contract::faults_of("SendRequest", &crate::send::everything()), Vec::<String>::new());
}
