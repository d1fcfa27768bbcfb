//! Hot swap under load: new calls take the new revision, running ones finish on theirs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::adapter::{AdapterHost, AdapterRejected};
use hermes_wasm_host::WasmHost;
use serde_json::json;

use crate::support::{Short, access, asked, done, options, response, sms};

const NEXT: &[u8] = include_bytes!("../hostile/twilio_next.wasm");
const CREATED: &str = r#"{"sid":"SM1","status":"queued"}"#;

#[test]
fn calls_go_on_while_revisions_change() {
    let host = WasmHost::new(options()).unwrap();
    host.install_embedded().unwrap();
    let old = host.active_version("twilio").unwrap();
    let new = host.install("twilio", NEXT).unwrap();
    assert!(!new.active && new.semver == "1.99.0" && new.version != old);
    assert_eq!(host.active_version("twilio"), Some(old), "installing changes nothing");
    let connection =
        access("twilio", json!({ "from": "ACME" }), &[("account_sid", "AC1"), ("auth_token", "t")]);
    let (stop, calls) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let (_, pending) = asked(host.send(&connection, &sms("hi")).unwrap());
                    assert!(pending.version == old || pending.version == new.version);
                    let end = host.resume_send(&connection, pending, &response(201, &[], CREATED)).unwrap();
                    assert_eq!(Short::from(&done(end)), Short::Accepted);
                    calls.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        for round in 0..50 {
            let version = if round % 2 == 0 { new.version } else { old };
            assert!(host.activate("twilio", version).unwrap().active);
            let before = calls.load(Ordering::Relaxed);
            while calls.load(Ordering::Relaxed) < before + 20 {
                std::thread::yield_now();
            }
        }
        stop.store(true, Ordering::Relaxed);
    });
    assert!(calls.load(Ordering::Relaxed) >= 1_000);
}

#[test]
fn a_running_call_finishes_on_the_revision_that_began_it() {
    let host = WasmHost::new(options()).unwrap();
    host.install_embedded().unwrap();
    let old = host.active_version("twilio").unwrap();
    let connection =
        access("twilio", json!({ "from": "ACME" }), &[("account_sid", "AC1"), ("auth_token", "t")]);
    let (_, pending) = asked(host.send(&connection, &sms("hi")).unwrap());
    let new = host.install("twilio", NEXT).unwrap();
    host.activate("twilio", new.version).unwrap();
    assert_eq!(host.descriptor("twilio").unwrap().version, "1.99.0");
    assert_eq!(pending.version, old);
    let end = host.resume_send(&connection, pending, &response(201, &[], CREATED)).unwrap();
    assert_eq!(Short::from(&done(end)), Short::Accepted);
    assert_eq!(asked(host.send(&connection, &sms("hi")).unwrap()).1.version, new.version);
    // Rolling back is activating the old one; installing twice is installing once.
    host.activate("twilio", old).unwrap();
    assert_eq!(host.install("twilio", NEXT).unwrap().version, new.version);
    let listed: Vec<_> = host.list().into_iter().filter(|info| info.name == "twilio").collect();
    assert_eq!(
        listed.iter().map(|info| (info.version, info.active)).collect::<Vec<_>>(),
        [(new.version, false), (old, true)]
    );
    let unknown = host.activate("twilio", AdapterVersion(1)).unwrap_err();
    assert!(matches!(unknown, AdapterRejected::UnknownVersion(_)));
}
