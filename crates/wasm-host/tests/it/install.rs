//! What is refused at the door.

use hermes_ports::adapter::{AdapterHost, AdapterRejected};
use hermes_wasm_host::{HostOptions, WasmHost, embedded};

use crate::support::options;

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
    for name in ["wasi:cli/environment@0.2.0", "wasi:sockets/tcp@0.2.0", "hermes:adapter/host@2.0.0", "env"] {
        let wat = format!("(component (import \"{name}\" (instance)))");
        assert_eq!(refused("acme", &component(&wat)), AdapterRejected::ForbiddenImport(name.to_owned()));
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
