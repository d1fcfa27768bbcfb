//! Every component that comes with Hermes passes with its fixtures, and not with a wrong one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use hermes_adapter_kit::{FixtureError, Report, load, run};
use hermes_ports::adapter::AdapterHost as _;
use hermes_wasm_host::{HostOptions, WasmHost};
use serde_json::{Value, json};

/// Guest time in tests, in milliseconds: the host's own part is unoptimised here and counts.
const GUEST_TIME_MS: u64 = 400;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn fixtures(adapter: &str) -> PathBuf {
    let folder = if adapter == "acme" { "template" } else { adapter };
    root().join("adapters").join(folder).join("fixtures")
}

fn host(adapter: &str) -> WasmHost {
    let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("adapter-code"));
    let options = HostOptions { cache_dir, guest_time_ms: GUEST_TIME_MS, ..HostOptions::default() };
    let host = WasmHost::new(options).unwrap();
    let component = match adapter {
        "acme" => root().join("crates/wasm-host/tests/template/acme.wasm"),
        "hostile" => root().join("crates/wasm-host/tests/hostile/hostile.wasm"),
        _ => root().join(format!("adapters/dist/{adapter}.wasm")),
    };
    let info = host.install(adapter, &fs::read(component).unwrap()).unwrap();
    host.activate(adapter, info.version).unwrap();
    host
}

fn report(adapter: &str, fixtures: &Path) -> Report {
    let mut report = Report::default();
    run(&host(adapter), adapter, &load(fixtures).unwrap(), &mut report);
    report
}

/// The report on `adapter` with one fixture, changed by `spoil`.
fn spoilt(adapter: &str, file: &str, spoil: impl FnOnce(&mut Value)) -> String {
    let dir = tempfile::tempdir().unwrap();
    let text = fs::read_to_string(fixtures(adapter).join(file)).unwrap();
    let mut case: Value = serde_json::from_str(&text).unwrap();
    spoil(&mut case);
    fs::write(dir.path().join(file), case.to_string()).unwrap();
    report(adapter, dir.path()).to_string()
}

fn passes(adapter: &str, checks_min: usize) {
    let report = report(adapter, &fixtures(adapter));
    let text = report.to_string();
    assert_eq!(report.failures(), 0, "{text}");
    let passed = text.lines().filter(|line| line.starts_with("ok  ")).count();
    assert!(passed >= checks_min, "{text}");
    assert!(text.ends_with(&format!("\n{passed} passed, 0 failed\n")), "{text}");
    assert!(!text.contains("note  no fixture"), "{text}");
}

#[test]
fn twilio_passes() {
    passes("twilio", 35);
}

#[test]
fn vonage_passes() {
    passes("vonage", 35);
}

#[test]
fn messente_passes() {
    passes("messente", 25);
}

#[test]
fn ses_passes() {
    passes("ses", 25);
}

#[test]
fn fcm_passes() {
    passes("fcm", 15);
}

#[test]
fn whatsapp_passes() {
    passes("whatsapp", 30);
}

#[test]
fn the_template_passes() {
    passes("acme", 18);
}

#[test]
fn a_component_passes_without_fixtures_too() {
    let mut report = Report::default();
    run(&host("acme"), "acme", &[], &mut report);
    let text = report.to_string();
    assert_eq!(report.failures(), 0, "{text}");
    assert!(
        text.contains("ok  ends every status from 100 to 599 in an outcome, for 2 kinds of calls"),
        "{text}"
    );
}

#[test]
fn a_wrong_request_is_shown_with_its_places() {
    let text = spoilt("acme", "send-accepted.json", |case| {
        case["exchanges"][0]["request"]["url"] = json!("https://api.acme.example/v2/messages");
        case["exchanges"][0]["request"]["body"]["json"]["text"] = json!("Your order has not shipped");
        case["exchanges"][0]["request"]["body"]["json"]["urgent"] = json!(true);
    });
    let expected = "\
FAIL  send-accepted.json: a text is accepted
    request 1.url: expected https://api.acme.example/v2/messages, got https://api.acme.example/v1/messages
    request 1.body/text: expected \"Your order has not shipped\", got \"Your order has shipped\"
    request 1.body/urgent: missing, expected true
";
    assert!(text.starts_with(expected), "{text}");
    assert!(text.ends_with(" passed, 1 failed\n"), "{text}");
}

#[test]
fn a_wrong_form_outcome_or_number_of_requests_is_shown() {
    let text = spoilt("twilio", "send-bad-recipient.json", |case| {
        case["exchanges"][0]["request"]["body"]["form"]["Body"] = json!("Hello");
        case["outcome"]["class"] = json!("opted-out");
    });
    assert!(text.contains("\n    request 1.body: missing Body=Hello\n"), "{text}");
    assert!(
        text.contains("\n    outcome.class: expected \"opted-out\", got \"recipient-permanent\"\n"),
        "{text}"
    );
    let text = spoilt("twilio", "send-bad-recipient.json", |case| case["exchanges"] = json!([]));
    assert!(text.contains("\n    request 1 is not recorded: POST https://api.twilio.com/"), "{text}");
    let text = spoilt("twilio", "send-bad-recipient.json", |case| {
        let twice = case["exchanges"][0].clone();
        case["exchanges"].as_array_mut().unwrap().push(twice);
    });
    assert!(text.contains("\n    it ended after 1 of 2 recorded requests\n"), "{text}");
}

#[test]
fn a_wrong_receipt_or_refusal_is_shown() {
    let text = spoilt("whatsapp", "webhook-failed.json", |case| {
        case["receipts"][0]["code"] = json!("131047");
    });
    assert!(text.contains("\n    receipts/0.code: expected \"131047\", got \"131026\"\n"), "{text}");
    let text = spoilt("whatsapp", "webhook-failed.json", |case| case["receipts"] = json!([]));
    assert!(text.contains("\n    receipts: expected 0 entries, got 1\n"), "{text}");
    let text = spoilt("messente", "webhook-forged.json", |case| case["refused"] = json!("malformed"));
    assert!(text.contains("\n    refused: expected malformed, got bad-signature\n"), "{text}");
    let text = spoilt("whatsapp", "webhook-handshake.json", |case| case["reply"]["body"] = json!("7"));
    assert!(text.contains("\n    reply.body: expected \"7\", got \"1158201444\"\n"), "{text}");
}

#[test]
fn a_part_that_is_not_signed_must_be_declared() {
    let text = spoilt("ses", "webhook-delivered.json", |case| {
        case["webhook"].as_object_mut().unwrap().remove("unsigned");
    });
    assert!(text.contains("FAIL  webhook-delivered.json: refused in each of "), "{text}");
    assert!(text.contains("\n    it is taken with byte "), "{text}");
}

#[test]
fn what_a_callback_by_get_says_is_signed_too() {
    let text = spoilt("whatsapp", "webhook-handshake.json", |case| {
        case["webhook"].as_object_mut().unwrap().remove("unsigned");
    });
    assert!(text.contains("FAIL  webhook-handshake.json: refused in each of "), "{text}");
    assert!(text.contains("\n    it is taken with character "), "{text}");
}

#[test]
fn a_component_that_submits_twice_or_traps_is_found() {
    let run_with = |behaviour: &str| {
        let dir = tempfile::tempdir().unwrap();
        let case = json!({ "name": "a text is accepted",
            "connection": { "config": { "behaviour": behaviour }, "credentials": { "auth_token": "a-token-of-hostile" } },
            "send": { "to": { "sms": "+4520123456" }, "content": { "text": "Hi" } },
            "exchanges": [{ "request": { "url": "https://api.hostile.example/send" }, "response": { "status": 200 } }],
            "outcome": { "kind": "accepted" } });
        fs::write(dir.path().join("send.json"), case.to_string()).unwrap();
        report("hostile", dir.path()).to_string()
    };
    let again = run_with("");
    assert!(again.starts_with("ok  send.json: a text is accepted\n"), "{again}");
    assert!(again.contains("FAIL  ends every status from 100 to 599"), "{again}");
    assert!(again.contains("FAIL  withstands 256 random answers"), "{again}");
    let twice = "the adapter answered against the contract: it wanted to submit a second time";
    assert!(again.contains(&format!("\n    send (send.json): 100: {twice}\n")), "{again}");
    let trap = run_with("trap");
    assert!(trap.starts_with("FAIL  send.json: a text is accepted\n    the adapter trapped: "), "{trap}");
    assert!(trap.contains("\nFAIL  begins every call\n    send (send.json): the adapter trapped"), "{trap}");
}

#[test]
fn settings_and_credentials_that_the_adapter_does_not_know_are_found() {
    let text = spoilt("acme", "send-accepted.json", |case| {
        case["connection"]["config"]["form"] = json!("ACME");
        case["connection"]["credentials"]["api_tokn"] = json!("t");
    });
    assert!(text.contains("\n    connection.config.form: the adapter has no such setting\n"), "{text}");
    assert!(
        text.contains("\n    connection.credentials.api_tokn: the adapter has no such credential\n"),
        "{text}"
    );
}

#[test]
fn the_example_of_the_documentation_is_a_fixture() {
    let document = fs::read_to_string(root().join("docs/adapters.md")).unwrap();
    let (_, example) = document.split_once("```json\n").unwrap();
    let (example, _) = example.split_once("```").unwrap();
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("example.json"), example).unwrap();
    let text = report("acme", dir.path()).to_string();
    assert!(text.starts_with("ok  example.json: a wrong number is refused for good\n"), "{text}");
}

/// A secret that is also a setting goes where settings go.
#[test]
fn a_credential_that_gets_out_is_found() {
    let text = spoilt("acme", "send-accepted.json", |case| {
        case["connection"]["config"]["from"] = case["connection"]["credentials"]["api_token"].clone();
    });
    assert!(text.contains("\n    send: the value of `api_token` stands in a body\n"), "{text}");
}

#[test]
fn a_wrong_file_is_named_with_the_place() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("a.json"), r#"{ "name": "n", "check": {}, "outcome": { "kind": "fine" } }"#)
        .unwrap();
    let error = load(dir.path()).unwrap_err();
    assert!(
        matches!(&error, FixtureError::Invalid { file, pointer, .. } if file == "a.json" && pointer == "/outcome")
    );
    assert!(error.to_string().starts_with("a.json at /outcome: unknown variant `fine`"), "{error}");
}
