//! What is refused at the door.

use hermes_ports::adapter::{AdapterHost, AdapterRejected, AdapterStep};
use hermes_wasm_host::{HostOptions, WasmHost, embedded};

use crate::support::{Short, access, done, options, response, sms};

fn refused(name: &str, component: &[u8]) -> AdapterRejected {
    let host = WasmHost::new(HostOptions { cache_dir: None, ..options() }).unwrap();
    let reason = host.install(name, component).unwrap_err();
    assert!(host.list().is_empty());
    reason
}

fn component(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

#[test]
fn only_components_are_loaded() {
    let core_module = component("(module)");
    for bytes in [b"".as_slice(), b"not wasm", &core_module] {
        assert!(matches!(refused("acme", bytes), AdapterRejected::NotAComponent(_)));
    }
    assert!(matches!(refused("acme", &component("(component)")), AdapterRejected::NotAComponent(_)));
    assert!(matches!(refused("acme", &vec![0; 9 << 20]), AdapterRejected::NotAComponent(_)));
}

#[test]
fn imports_beyond_the_host_interface_are_forbidden() {
    for name in [
        "wasi:cli/environment@0.2.0",
        "wasi:sockets/tcp@0.2.0",
        "hermes:adapter/host@2.0.0",
        "hermes:adapter/host@1.99.0",
        "env",
    ] {
        let wat = format!("(component (import \"{name}\" (instance)))");
        assert_eq!(refused("acme", &component(&wat)), AdapterRejected::ForbiddenImport(name.to_owned()));
    }
}

/// Imports with something behind them: a linker could satisfy an empty instance.
#[test]
fn whatever_an_adapter_wants_beside_the_host_interface_is_named_when_it_is_refused() {
    for (import, name) in [
        (
            r#""wasi:cli/environment@0.2.0" (instance (export "get-environment" (func (result u32))))"#,
            "wasi:cli/environment@0.2.0",
        ),
        (
            r#""wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func)))"#,
            "wasi:http/outgoing-handler@0.2.0",
        ),
        (
            r#""hermes:adapter/files@1.1.0" (instance (export "read" (func (result string))))"#,
            "hermes:adapter/files@1.1.0",
        ),
        (r#""evil:adapter/host@1.1.0" (instance (export "log" (func)))"#, "evil:adapter/host@1.1.0"),
        (r#""system" (func (param "line" string))"#, "system"),
    ] {
        let component = component(&format!("(component (import {import}))"));
        assert_eq!(
            refused("acme", &component),
            AdapterRejected::ForbiddenImport(name.to_owned()),
            "{import}"
        );
    }
}

/// The known interface is a closed list: neither another function nor another type of a known one.
#[test]
fn an_unknown_function_of_the_known_interface_is_named_when_it_is_refused() {
    for (function, kind) in [
        ("exec", r#"(func (param "line" string) (result u32))"#),
        ("get-secret", r#"(func (param "name" string) (result string))"#),
        ("get-config", r#"(func (param "name" string) (result string))"#),
        ("sha256", "(func)"),
        ("digest", r#"(instance (export "md5" (func)))"#),
    ] {
        let import = format!(r#""hermes:adapter/host@1.1.0" (instance (export "{function}" {kind}))"#);
        let reason = refused("acme", &component(&format!("(component (import {import}))")));
        let AdapterRejected::NotAComponent(why) = &reason else { panic!("{function}: {reason}") };
        assert!(why.contains("hermes:adapter/host@1.1.0") && why.contains(function), "{function}: {why}");
    }
}

#[test]
fn an_adapter_is_installed_under_its_own_name() {
    let twilio = embedded().iter().find(|adapter| adapter.name == "twilio").unwrap().component;
    assert!(matches!(refused("vonage", twilio), AdapterRejected::BadDescriptor(_)));
    assert!(matches!(refused("../x", twilio), AdapterRejected::BadDescriptor(_)));
}

#[test]
fn compiled_code_is_cached_privately_and_damage_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let options = HostOptions { cache_dir: Some(folder.path().to_owned()), ..options() };
    let fcm = embedded().iter().find(|adapter| adapter.name == "fcm").unwrap().component;
    let install = || WasmHost::new(options.clone()).unwrap().install("fcm", fcm).unwrap();
    let files =
        || std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    install();
    let [file] = files().try_into().unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let good = std::fs::read(&file).unwrap();
    let mut bad = good.clone();
    let middle = bad.len() / 2;
    bad[middle] ^= 1;
    std::fs::write(&file, &bad).unwrap();
    install();
    // It was compiled again, and the damaged file was replaced.
    let healed = std::fs::read(&file).unwrap();
    assert!(healed != bad && healed.len() == good.len());
    assert_eq!(files().len(), 1);
}

#[test]
fn a_component_of_an_older_contract_still_works() {
    // Twilio's adapter, built against 1.0.0. Never rebuild it.
    let component = include_bytes!("../compat/contract_1_0_0.wasm");
    let host = WasmHost::new(options()).unwrap();
    let version = host.install("twilio", component).unwrap().version;
    host.activate("twilio", version).unwrap();
    let secrets = [("account_sid", "AC1"), ("auth_token", "secret")];
    let access = access("twilio", serde_json::json!({ "from": "+4520123456" }), &secrets);
    let AdapterStep::Request(request, pending) = host.send(&access, &sms("Hi")).unwrap() else {
        panic!("it makes a request");
    };
    assert!(request.url.ends_with("/Accounts/AC1/Messages.json"), "{}", request.url);
    let answer = response(201, &[], r#"{"sid":"SM1","status":"queued"}"#);
    let outcome = done(host.resume_send(&access, pending, &answer).unwrap());
    assert_eq!(Short::from(&outcome), Short::Accepted);
}
