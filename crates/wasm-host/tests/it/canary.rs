//! A candidate that builds submissions beside the version that serves.

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::adapter::{AdapterHost, AdapterRejected, CanaryReport, ConnectionAccess};
use hermes_wasm_host::{WasmHost, embedded};
use serde_json::json;

use crate::support::{access, asked, options, sms};

const NEXT: &[u8] = include_bytes!("../hostile/twilio_next.wasm");

fn connection() -> ConnectionAccess {
    access("twilio", json!({ "from": "ACME" }), &[("account_sid", "AC1"), ("auth_token", "t")])
}

fn host_with_embedded() -> WasmHost {
    let host = WasmHost::new(options()).unwrap();
    host.install_embedded().unwrap();
    host
}

/// `component` with a text in it replaced by another one of the same length.
fn patched(component: &[u8], text: &str, by: &str) -> Vec<u8> {
    assert_eq!(text.len(), by.len());
    let mut component = component.to_vec();
    let at: Vec<usize> = (0..component.len() - text.len())
        .filter(|at| component[*at..].starts_with(text.as_bytes()))
        .collect();
    assert!(!at.is_empty(), "{text} is not in it");
    for at in at {
        component[at..at + by.len()].copy_from_slice(by.as_bytes());
    }
    component
}

fn report(host: &WasmHost, version: AdapterVersion) -> Option<CanaryReport> {
    host.list().into_iter().find(|info| info.version == version).unwrap().canary
}

#[test]
fn its_share_of_the_submissions_is_built_too_and_the_active_one_s_are_sent() {
    let host = host_with_embedded();
    let active = host.active_version("twilio").unwrap();
    let next = host.install("twilio", NEXT).unwrap();
    assert_eq!(next.canary, None);
    let observed = host.canary("twilio", next.version, 25).unwrap().canary.unwrap();
    assert_eq!(observed, CanaryReport { share_percent: 25, ..CanaryReport::default() });
    for _ in 0..40 {
        assert_eq!(asked(host.send(&connection(), &sms("hi")).unwrap()).1.version, active);
    }
    let report = report(&host, next.version).unwrap();
    assert_eq!((report.compared, report.different, report.faults), (10, 0, 0));
}

#[test]
fn what_differs_is_named_and_not_shown() {
    let host = host_with_embedded();
    let active = embedded().iter().find(|adapter| adapter.name == "twilio").unwrap().component;
    let renamed = patched(active, "ValidityPeriod", "ValidityPerioX");
    let candidate = host.install("twilio", &renamed).unwrap().version;
    host.canary("twilio", candidate, 100).unwrap();
    for _ in 0..3 {
        asked(host.send(&connection(), &sms("a secret text")).unwrap());
    }
    let report = report(&host, candidate).unwrap();
    assert_eq!((report.compared, report.different, report.faults), (3, 3, 0));
    let places: Vec<_> = report.places.iter().map(|(place, count)| (place.as_str(), *count)).collect();
    assert_eq!(places, [("body ValidityPerioX", 3), ("body ValidityPeriod", 3)]);
    assert!(!format!("{report:?}").contains("secret"));
}

#[test]
fn json_is_compared_by_its_places() {
    let host = host_with_embedded();
    let active = embedded().iter().find(|adapter| adapter.name == "messente").unwrap().component;
    let renamed = patched(active, "text_store", "text_stove");
    let candidate = host.install("messente", &renamed).unwrap().version;
    host.canary("messente", candidate, 100).unwrap();
    let connection = access("messente", json!({}), &[("username", "u"), ("password", "p")]);
    asked(host.send(&connection, &sms("hi")).unwrap());
    let places = report(&host, candidate).unwrap().places;
    assert_eq!(places.into_keys().collect::<Vec<_>>(), ["body /text_store", "body /text_stove"]);
}

#[test]
fn a_candidate_that_faults_is_left_alone_and_hurts_nobody() {
    let host = host_with_embedded();
    let active = embedded().iter().find(|adapter| adapter.name == "twilio").unwrap().component;
    let astray = patched(active, "https://api.twilio.com", "https://api.twilio.net");
    let bad = host.install("twilio", &astray).unwrap().version;
    host.canary("twilio", bad, 100).unwrap();
    for _ in 0..30 {
        asked(host.send(&connection(), &sms("hi")).unwrap());
    }
    let report = report(&host, bad).unwrap();
    assert_eq!((report.compared, report.faults, report.stopped), (0, 10, true));
}

#[test]
fn an_activation_ends_the_observation_and_so_does_a_share_of_nothing() {
    let host = host_with_embedded();
    let active = host.active_version("twilio").unwrap();
    let next = host.install("twilio", NEXT).unwrap().version;
    assert_eq!(host.canary("twilio", active, 10), Err(AdapterRejected::IsActive));
    let unknown = AdapterVersion(7);
    assert_eq!(host.canary("twilio", unknown, 10), Err(AdapterRejected::UnknownVersion(unknown.to_string())));
    host.canary("twilio", next, 10).unwrap();
    assert!(report(&host, next).is_some());
    assert_eq!(host.canary("twilio", next, 0).unwrap().canary, None);
    host.canary("twilio", next, 10).unwrap();
    assert_eq!(host.activate("twilio", next).unwrap().canary, None);
    assert_eq!(report(&host, active), None);
}
