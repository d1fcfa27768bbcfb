//! Commands as operators type them.

use std::{path::Path, process::Command};

use crate::server::{Server, sms};

fn component(path: &str) -> String {
    format!("{}/../../{path}", env!("CARGO_MANIFEST_DIR"))
}

/// Runs `hermes` and returns its exit code, standard output and standard error.
fn hermes(arguments: &[&str]) -> (Option<i32>, String, String) {
    hermes_in(Path::new("."), arguments)
}

/// The same in a directory.
fn hermes_in(dir: &Path, arguments: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hermes"));
    let output = command.current_dir(dir).args(arguments).output().unwrap();
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
async fn a_candidate_is_observed_and_promoted() {
    let server = Server::start();
    let data = server.data.to_str().unwrap().to_owned();
    let next = component("crates/wasm-host/tests/hostile/twilio_next.wasm");
    let pushed = ok(&server, &["adapter", "push", &next, "--name", "twilio"]);
    let pushed: serde_json::Value = serde_json::from_str(&pushed).unwrap();
    let version = pushed["version"].as_str().unwrap();
    ok(&server, &["adapter", "canary", "twilio", version, "--share", "100"]);
    let promote = ["adapter", "promote", "twilio", "--data", data.as_str()];
    let (code, _, err) = hermes(&promote);
    assert_eq!((code, err.contains("0 compared")), (Some(1), true), "{err}");
    let id = server.send(&sms("0001", 20)).await;
    let message = server.ended(&id, std::time::Duration::from_secs(20)).await;
    assert_eq!(message["status"], "delivered");
    assert_ne!(message["attempts"][0]["adapter_version"], version, "a candidate sends nothing");
    assert_eq!(server.requests_of(&id).await.len(), 1);
    let list = ok(&server, &["adapter", "list"]);
    assert!(list.contains("\"compared\":1") && list.contains("\"different\":0"), "{list}");
    let (code, out, err) = hermes(&promote);
    assert_eq!(code, Some(0), "{out}{err}");
    let id = server.send(&sms("0001", 20)).await;
    let message = server.ended(&id, std::time::Duration::from_secs(20)).await;
    assert_eq!(message["attempts"][0]["adapter_version"], version);
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

#[test]
fn a_component_is_held_against_recorded_exchanges() {
    for (file, fixtures, adapter) in [
        ("crates/wasm-host/tests/template/acme.wasm", "adapters/template/fixtures", "acme"),
        ("adapters/dist/ses.wasm", "adapters/ses/fixtures", "ses"),
    ] {
        let (file, fixtures) = (component(file), component(fixtures));
        let (code, out, err) =
            hermes(&["adapter", "test", &file, "--name", adapter, "--fixtures", &fixtures]);
        assert_eq!(code, Some(0), "{out}{err}");
        assert!(out.starts_with(&format!("ok  {adapter} ")) && out.ends_with(" passed, 0 failed\n"), "{out}");
        assert!(out.contains("\nok  send-accepted.json: ") && !out.contains("FAIL"), "{out}");
    }
}

#[test]
fn a_component_that_differs_from_a_recording_fails_with_a_report() {
    let dir = tempfile::tempdir().unwrap();
    let good = component("adapters/template/fixtures/send-bad-recipient.json");
    let wrong = std::fs::read_to_string(good).unwrap().replace("recipient-permanent", "opted-out");
    let acme = component("crates/wasm-host/tests/template/acme.wasm");
    let run = |text: &str| {
        std::fs::write(dir.path().join("case.json"), text).unwrap();
        hermes(&["adapter", "test", &acme, "--fixtures", dir.path().to_str().unwrap()])
    };
    let (code, out, err) = run(&wrong);
    assert_eq!(code, Some(1), "{out}{err}");
    let difference = "FAIL  case.json: a wrong number is refused for good\n    \
        outcome.class: expected \"opted-out\", got \"recipient-permanent\"\n";
    assert!(out.contains(difference) && out.ends_with(" passed, 1 failed\n"), "{out}");
    assert!(err.contains("acme does not conform"), "{err}");

    let (code, out, err) = run(&wrong.replace("opted-out", "opted-outt"));
    assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
    assert!(err.contains("case.json at /outcome: unknown variant `opted-outt`"), "{err}");
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

#[tokio::test]
async fn stored_credentials_move_to_a_new_key() {
    let mut server = Server::start();
    let data = server.data.to_str().unwrap().to_owned();
    let kept = || std::fs::read_to_string(server_keys(&data)).unwrap();
    let config = server.data.join("rotate.toml");
    std::fs::write(&config, format!("[store]\ndata_dir = {data:?}\n")).unwrap();
    let rotate = ["key", "rotate-credentials", "--config", config.to_str().unwrap()];
    let before = kept();
    let (code, _, err) = hermes(&rotate);
    assert_eq!((code, kept()), (Some(1), before.clone()), "a server holds the store: {err}");
    server.kill();
    let (code, out, err) = hermes(&rotate);
    assert_eq!(code, Some(0), "{out}{err}");
    assert!(out.contains("secrets encrypted under the new key, 0 were already"), "{out}");
    let after = kept();
    assert_ne!(after, before);
    assert!(!after.contains("previous"), "the old key is forgotten: {after}");
    server.restart(&crate::server::StartOptions::default()).expect("it starts with the new key");
    let id = server.send(&sms("0001", 20)).await;
    assert_eq!(server.ended(&id, std::time::Duration::from_secs(20)).await["status"], "delivered");
}

#[tokio::test]
async fn what_is_done_to_keys_is_on_record_and_the_record_verified() {
    let server = Server::start();
    let data = server.data.to_str().unwrap().to_owned();
    let config = server.data.join("audit.toml");
    std::fs::write(&config, format!("[store]\ndata_dir = {data:?}\n")).unwrap();
    let config = config.to_str().unwrap();
    let verify = ["audit", "verify", "--config", config];
    let (code, before, err) = hermes(&verify);
    assert_eq!(code, Some(0), "{before}{err}");
    assert!(before.starts_with("4 entries"), "the demo's two keys: {before}");
    let head = before.lines().last().unwrap().strip_prefix("head ").unwrap().to_owned();

    let key = ok(
        &server,
        &["key", "create", "--tenant", &tenant_of(&server), "--mode", "test", "--scopes", "read,send"],
    );
    let key: serde_json::Value = serde_json::from_str(&key).unwrap();
    assert_eq!(key["scopes"], serde_json::json!(["send", "read"]));
    let (id, secret) = (key["id"].as_str().unwrap(), key["key"].as_str().unwrap());
    assert_eq!(server.get("/v1/messages", secret).await.unwrap().0, 200);
    ok(&server, &["key", "revoke", id, "--tenant", &tenant_of(&server)]);
    assert_eq!(server.get("/v1/messages", secret).await.unwrap().0, 401);
    let done = ok(&server, &["audit", "list", "--target", id]);
    assert!(done.contains("createKey") && done.contains("deleteKey"), "{done}");

    let noted = [&verify[..], &["--head", &head]].concat();
    let (code, out, err) = hermes(&noted);
    assert_eq!((code, out.starts_with("8 entries")), (Some(0), true), "{out}{err}");
    let forged = format!("4:{}", "0".repeat(64));
    let (code, _, err) = hermes(&[&verify[..], &["--head", &forged]].concat());
    assert_eq!((code, err.contains("broken at entry 4")), (Some(1), true), "{err}");
}

#[test]
fn an_audit_log_is_verified_in_the_store_that_was_named_or_not_at_all() {
    let server = Server::start();
    let elsewhere = tempfile::tempdir().unwrap();
    let verify = |more: &[&str]| hermes_in(elsewhere.path(), &[&["audit", "verify"], more].concat());
    let data = server.data.to_str().unwrap();
    let (code, out, err) = verify(&["--data", data]);
    assert_eq!((code, out.starts_with(&format!("4 entries in {data}, "))), (Some(0), true), "{out}{err}");
    for ignored in [["--api", &server.api], ["--key", &server.admin_key]] {
        let (code, out, err) = verify(&ignored);
        assert_eq!((code, out.as_str()), (Some(2), ""), "what would be ignored is refused: {err}");
    }
    for nowhere in [&[][..], &["--data", "mistyped"]] {
        let (code, out, err) = verify(nowhere);
        assert_eq!((code, out.as_str()), (Some(1), ""), "{err}");
        assert!(err.contains("could not open the store in "), "{err}");
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing is made");
}

#[test]
fn an_empty_audit_log_is_called_empty() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("empty.toml");
    std::fs::write(&config, "[store]\ndata_dir = \"data\"\n").unwrap();
    assert_eq!(hermes_in(dir.path(), &["migrate", "--config", "empty.toml"]).0, Some(0));
    let (code, out, err) = hermes_in(dir.path(), &["audit", "verify", "--data", "data"]);
    let empty = "the audit log in data is empty: there is nothing to verify\n";
    assert_eq!((code, out.as_str()), (Some(0), empty), "{err}");
}

#[test]
fn a_check_makes_nothing_and_says_what_is_missing() {
    let dir = tempfile::tempdir().unwrap();
    let here = || std::fs::read_dir(dir.path()).unwrap().count();
    let (code, out, err) = hermes_in(dir.path(), &["doctor"]);
    assert_eq!((code, here()), (Some(0), 0), "{out}{err}");
    assert_eq!(out.matches("is not there yet; the first start makes it").count(), 3, "{out}");

    assert_eq!(hermes_in(dir.path(), &["migrate"]).0, Some(0));
    let (code, out, err) = hermes_in(dir.path(), &["doctor"]);
    assert_eq!((code, out.contains("ok    store: opens, answers")), (Some(0), true), "{out}{err}");

    let kept = dir.path().join("hermes-data").join("keys.json");
    std::fs::remove_file(&kept).unwrap();
    let (code, out, _) = hermes_in(dir.path(), &["doctor"]);
    assert_eq!((code, kept.exists()), (Some(1), false), "{out}");
    assert!(out.contains("FAIL  store: hermes-data/keys.json is missing"), "{out}");
}

#[tokio::test]
async fn an_operator_key_from_the_command_line_has_the_role_that_was_named() {
    let mut server = Server::start();
    let data = server.data.to_str().unwrap().to_owned();
    let config = server.data.join("role.toml");
    std::fs::write(&config, format!("[store]\ndata_dir = {data:?}\n")).unwrap();
    server.kill();
    let create = ["key", "create", "--operator", "--role", "viewer", "--config", config.to_str().unwrap()];
    let (code, key, err) = hermes(&create);
    assert_eq!(code, Some(0), "{err}");
    server.restart(&crate::server::StartOptions::default()).expect("it starts");
    let (status, _) = server.get("/admin/v1/tenants", key.trim()).await.unwrap();
    assert_eq!(status, 200);
    let body = serde_json::json!({ "name": "no" });
    let (status, problem) = server.post("/admin/v1/tenants", key.trim(), &body).await.unwrap();
    assert_eq!((status, problem["detail"].as_str()), (403, Some("The key needs the role admin.")));
}

/// The demo's tenant.
fn tenant_of(server: &Server) -> String {
    let list = ok(server, &["tenant", "list"]);
    list.split_whitespace().next().unwrap().to_owned()
}

fn server_keys(data: &str) -> std::path::PathBuf {
    Path::new(data).join("keys.json")
}

#[tokio::test]
async fn failed_messages_are_counted_and_redriven() {
    let server = Server::start();
    let id = server.send(&sms("9911", 20)).await;
    let message = server.ended(&id, std::time::Duration::from_secs(20)).await;
    assert_eq!(message["status"], "failed", "{message:#}");
    let redrive = |more: &[&str]| -> serde_json::Value {
        let out = ok(
            &server,
            &[&["message", "redrive", "failed", "--status-reason", "steps_exhausted"], more].concat(),
        );
        serde_json::from_str(&out).unwrap()
    };
    let counted = redrive(&["--dry-run"]);
    assert_eq!((&counted["matched"], &counted["redriven"]), (&1.into(), &1.into()), "{counted:#}");
    let first = redrive(&[]);
    let new = first["messages"][0]["redriven_as"].as_str().unwrap_or_else(|| panic!("{first:#}"));
    let message = server.ended(new, std::time::Duration::from_secs(20)).await;
    assert_eq!((&message["status"], &message["redrive_of"]), (&"failed".into(), &id.as_str().into()));
    assert_eq!(server.message(&id).await["redriven_as"], new);
    assert_eq!(server.requests_of(&id).await.len(), 1, "the first is not sent again");
    let again = redrive(&["--created-before", message["created_at"].as_str().unwrap()]);
    assert_eq!((&again["matched"], &again["already_redriven"]), (&1.into(), &1.into()), "{again:#}");
}
