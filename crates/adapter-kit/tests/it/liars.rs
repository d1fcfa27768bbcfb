//! Each rule is broken by a host that breaks no other, and the report says so.

use std::fs;

use hermes_adapter_kit::{Report, load, run};
use serde_json::json;

use crate::liar::{Liar, Lie, signature};

const KEY: &str = "key-of-the-made-up-provider";
const BODY: &str = r#"{"status":"delivered"}"#;

fn report(lie: Lie) -> String {
    let dir = tempfile::tempdir().unwrap();
    let connection = json!({ "credentials": { "token": KEY } });
    let send = json!({ "name": "a text is accepted", "connection": connection,
        "send": { "to": { "sms": "+4520123456" }, "content": { "text": "Hi" } },
        "exchanges": [{
            "request": { "method": "POST", "url": "https://api.liar.example/v1", "auth": { "bearer": "token" } },
            "response": { "status": 201, "body": { "json": { "id": "1" } } } }],
        "outcome": { "kind": "accepted" } });
    let webhook = json!({ "name": "a text was delivered", "connection": connection,
        "webhook": { "headers": { "X-Signature": signature(KEY, BODY.as_bytes()) }, "body": { "text": BODY },
            "signature": { "header": "x-signature" } },
        "receipts": [{ "status": "delivered" }] });
    fs::write(dir.path().join("send.json"), send.to_string()).unwrap();
    fs::write(dir.path().join("webhook.json"), webhook.to_string()).unwrap();
    let mut report = Report::default();
    run(&Liar(lie), "liar", &load(dir.path()).unwrap(), &mut report);
    report.to_string()
}

/// The lines below the check that begins with `check`, which must have failed.
fn failure<'a>(report: &'a str, check: &str) -> Vec<&'a str> {
    let mut lines = report.lines().skip_while(|line| !line.starts_with(&format!("FAIL  {check}")));
    assert!(lines.next().is_some(), "{check} did not fail:\n{report}");
    lines.map_while(|line| line.strip_prefix("    ")).collect()
}

#[test]
fn an_honest_adapter_passes() {
    let report = report(Lie::None);
    assert!(report.ends_with("\n10 passed, 0 failed\n"), "{report}");
    assert!(report.contains("note  declared hosts that no fixture calls: backup.liar.example\n"), "{report}");
    assert!(report.contains("note  no fixture checks the credentials\n"), "{report}");
}

#[test]
fn undeclared_hosts_are_found() {
    for (lie, host) in
        [(Lie::ForeignHost, "https://api.evil.example"), (Lie::PlainHttp, "http://api.liar.example")]
    {
        let report = report(lie);
        let lines = failure(&report, "calls declared hosts only");
        assert!(lines.contains(&format!("send: {host} is called and not declared").as_str()), "{lines:?}");
        assert!(lines.contains(&format!("check: {host} is called and not declared").as_str()), "{lines:?}");
    }
}

#[test]
fn credentials_are_found_wherever_they_get_out() {
    for (lie, line) in [
        (Lie::SecretInUrl, "send: the value of `token` stands in a URL"),
        (Lie::SecretInHeader, "send: the value of `token` stands in a header"),
        (Lie::SecretInNotes, "send: the value of `token` stands in the adapter's notes"),
        (Lie::SecretInOutcome, "send: the value of `token` stands in the outcome"),
        (Lie::SecretInLog, "send: the value of `token` stands in a log line or a metric"),
        (Lie::SecretInMetric, "check: the value of `token` stands in a log line or a metric"),
        (Lie::SecretInReply, "webhook: the value of `token` stands in the outcome"),
    ] {
        let report = report(lie);
        let lines = failure(&report, "lets no credential into");
        assert!(lines.contains(&line), "{lie:?}: {lines:?}");
        assert!(!report.contains(KEY) || lie == Lie::SecretInUrl, "the report itself shows it: {report}");
    }
}

#[test]
fn webhooks_that_nobody_signed_are_found() {
    let anything = report(Lie::TakesAnything);
    assert!(failure(&anything, "takes none of 256 random webhooks")[0].contains("nobody signed it"));
    let lines = failure(&anything, "webhook.json: refused in each of");
    assert!(lines.contains(&"it is taken with byte 0 of the body changed"), "{lines:?}");

    let any_signature = report(Lie::TakesAnySignature);
    assert!(any_signature.contains("ok  webhook.json: a text was delivered"), "{any_signature}");
    let lines = failure(&any_signature, "webhook.json: refused in each of");
    assert!(lines.iter().any(|line| line.starts_with("and ")), "{lines:?}");

    let no_key = report(Lie::TakesNoKey);
    assert_eq!(failure(&no_key, "webhook.json: refused in each of"), ["it is taken without credentials"]);
}

#[test]
fn traps_guesses_and_endless_calls_are_found() {
    let teapot = report(Lie::TrapsOnTeapot);
    let lines = failure(&teapot, "ends every status from 100 to 599");
    assert!(lines.contains(&"send (send.json): 418: the adapter trapped: unreachable"), "{lines:?}");
    for check in ["withstands 256 random answers", "withstands 256 changed answers"] {
        let zero = report(Lie::TrapsOnZero);
        assert!(failure(&zero, check)[0].ends_with("the adapter trapped: unreachable"), "{zero}");
    }
    let webhook = report(Lie::TrapsOnZeroWebhook);
    assert!(failure(&webhook, "takes none of 256 random webhooks")[0].contains("trapped"), "{webhook}");
    assert!(failure(&webhook, "withstands 256 changed webhooks")[0].contains("trapped"), "{webhook}");
    let guesses = report(Lie::Guesses);
    let lines = failure(&guesses, "ends every status from 100 to 599");
    assert!(lines.contains(&"send (send.json): 100 without a body counts as accepted"), "{lines:?}");
    let endless = report(Lie::Endless);
    assert!(failure(&endless, "send.json: a text is accepted")[0].starts_with("request 2 is not recorded"));
    assert!(failure(&endless, "ends every status")[0].contains("it has not ended after 16 requests"));
}

#[test]
fn an_adapter_that_is_not_there_fails() {
    let mut report = Report::default();
    run(&Liar(Lie::None), "somebody", &[], &mut report);
    assert_eq!(
        report.to_string(),
        "FAIL  somebody is loaded\n    the host has no such adapter\n0 passed, 1 failed\n"
    );
}
