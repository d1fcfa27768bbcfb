//! Commands as operators type them.

use std::process::Command;

use crate::server::{Server, sms};

fn component(path: &str) -> String {
    format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs `hermes` and returns its exit code, standard output and standard error.
fn hermes(arguments: &[&str]) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_hermes")).args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn ok(server: &Server, arguments: &[&str]) -> String {
    let data = server.data.to_str().unwrap();
    let (code, out, err) = hermes(&[arguments, &["--data", data]].concat());
    assert_eq!(code, Some(0), "{arguments:?}: {out}{err}");
    out
}

#[tokio::test]
async fn an_adapter_is_pushed_activated_and_rolled_back() {
    let server = Server::start();
    let next = component("crates/wasm-host/tests/hostile/twilio_next.wasm");
    let active = || {
        let list = ok(&server, &["adapter", "list"]);
        let line = list.lines().find(|line| line.starts_with("twilio") && line.contains("true"));
        line.unwrap_or_else(|| panic!("{list}")).to_owned()
    };
    let before = active();
    let pushed = ok(&server, &["adapter", "push", &next, "--name", "twilio"]);
    assert_eq!(active(), before, "{pushed}");
    ok(&server, &["adapter", "push", &next, "--name", "twilio", "--activate"]);
    assert!(active().contains("1.99.0"), "{}", active());
    ok(&server, &["adapter", "rollback", "twilio"]);
    assert_eq!(active(), before);
    let data = server.data.to_str().unwrap().to_owned();
    let (code, _, err) = hermes(&["adapter", "rollback", "twilio", "--data", &data]);
    assert_eq!(code, Some(1), "{err}");
    let id = server.send(&sms("0001", 20)).await;
    assert_eq!(server.ended(&id, std::time::Duration::from_secs(20)).await["status"], "delivered");
}

#[test]
fn a_component_is_tested_without_a_server() {
    let (code, out, err) = hermes(&["adapter", "test", &component("adapters/dist/vonage.wasm")]);
    assert_eq!(code, Some(0), "{err}");
    assert!(out.starts_with("ok  vonage ") && out.contains("api.nexmo.com"), "{out}");
    let hostile = component("crates/wasm-host/tests/hostile/hostile.wasm");
    let (code, _, err) = hermes(&["adapter", "test", &hostile, "--name", "twilio"]);
    assert_eq!(code, Some(1), "{err}");
}

#[tokio::test]
async fn every_connection_of_a_demo_proves_its_credentials() {
    let server = Server::start();
    let list = ok(&server, &["provider", "list"]);
    let ids: Vec<&str> = list.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let ids: Vec<&str> = ids.into_iter().filter(|id| id.starts_with("prv_")).collect();
    assert!(ids.len() >= 3, "{list}");
    for id in ids {
        ok(&server, &["provider", "check", id]);
    }
}
