//! Adapters that misbehave hurt their own call only.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use hermes_domain::outcome::Outcome;
use hermes_ports::adapter::{AdapterFault, AdapterHost, AdapterStep, ConnectionAccess};
use hermes_wasm_host::{HostOptions, WasmHost};
use serde_json::{Value, json};

use crate::support::{GUEST_TIME_MS, access, asked, done, options, post, response, sms};

pub(crate) const HOSTILE: &[u8] = include_bytes!("../hostile/hostile.wasm");

/// Far above the limit of a call, as test machines stall; what never ends would never come here.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A host with one good and one bad adapter.
pub(crate) fn host() -> &'static WasmHost {
    static HOST: LazyLock<WasmHost> = LazyLock::new(|| {
        let host = fresh_host(options());
        host.install_embedded().unwrap();
        host
    });
    &HOST
}

/// A host with the bad adapter alone, for a test that counts.
pub(crate) fn fresh_host(options: HostOptions) -> WasmHost {
    let host = WasmHost::new(options).unwrap();
    let info = host.install("hostile", HOSTILE).unwrap();
    host.activate("hostile", info.version).unwrap();
    host
}

/// A connection whose guest behaves like this.
pub(crate) fn bad(behaviour: &str) -> ConnectionAccess {
    bad_with(behaviour, json!({}))
}

/// The same with further settings.
pub(crate) fn bad_with(behaviour: &str, mut settings: Value) -> ConnectionAccess {
    settings["behaviour"] = behaviour.into();
    access("hostile", settings, &[("auth_token", "secret"), ("other", "secret too")])
}

/// How a call ends that must end badly, and in time.
pub(crate) fn fault(behaviour: &str) -> AdapterFault {
    let started = Instant::now();
    let fault = host().send(&bad(behaviour), &sms("hi")).unwrap_err();
    assert!(started.elapsed() < LONG, "{behaviour}");
    the_good_one_works();
    fault
}

/// The neighbour did not notice.
pub(crate) fn the_good_one_works() {
    let (request, _) = asked(host().send(&good(), &sms("hi")).unwrap());
    assert!(request.url.starts_with("https://api.twilio.com/"));
}

/// A connection of the good adapter.
pub(crate) fn good() -> ConnectionAccess {
    access("twilio", json!({ "from": "ACME" }), &[("account_sid", "AC1"), ("auth_token", "t")])
}

#[test]
fn an_endless_loop_ends_at_its_time_limit() {
    assert_eq!(fault("loop"), AdapterFault::TimeLimit { limit_ms: GUEST_TIME_MS });
    let webhook = post("https://hermes.example.com/receipts/hostile/prv_1", &[], "");
    let fault = host().receive(&bad("loop"), &webhook).unwrap_err();
    assert_eq!(fault, AdapterFault::TimeLimit { limit_ms: GUEST_TIME_MS });
}

#[test]
fn two_loops_do_not_run_at_the_same_time() {
    assert_eq!(fault("loop"), AdapterFault::TimeLimit { limit_ms: GUEST_TIME_MS });
    let faults: Vec<AdapterFault> = std::thread::scope(|scope| {
        let looping = || host().send(&bad("loop"), &sms("hi")).unwrap_err();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(looping)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let expected = [AdapterFault::Busy, AdapterFault::TimeLimit { limit_ms: GUEST_TIME_MS }];
    assert!(faults.iter().all(|fault| expected.contains(fault)), "{faults:?}");
    assert!(faults.contains(&expected[1]), "{faults:?}");
}

#[test]
fn a_memory_bomb_ends_at_its_memory_limit() {
    assert_eq!(fault("bomb"), AdapterFault::MemoryLimit { limit_bytes: 64 << 20 });
}

#[test]
fn a_trap_is_a_fault_and_the_next_call_gets_a_fresh_instance() {
    assert!(matches!(fault("trap"), AdapterFault::Trap(_)));
    assert!(host().send(&bad("nothing"), &sms("hi")).is_ok());
}

#[test]
fn what_breaks_the_contract_never_leaves_the_host() {
    for behaviour in [
        "big",
        "crlf",
        "crlf_name",
        "cr",
        "lf",
        "nul",
        "authorization",
        "host",
        "many_headers",
        "url",
        "url_user",
        "foreign_secret",
        "long_id",
    ] {
        let fault = fault(behaviour);
        assert!(matches!(fault, AdapterFault::Contract(_)), "{behaviour}: {fault:?}");
    }
}

#[test]
fn long_failures_are_clipped() {
    let Outcome::Rejected(failure) = done(host().send(&bad("long_detail"), &sms("hi")).unwrap()) else {
        panic!()
    };
    assert_eq!(failure.detail, Some("y".repeat(120)));
}

#[test]
fn a_second_submission_needs_an_answer_that_promises_nothing_was_processed() {
    let quiet = bad("nothing");
    let begin = || asked(host().send(&quiet, &sms("hi")).unwrap()).1;
    for status in [400, 500, 503] {
        let fault = host().resume_send(&quiet, begin(), &response(status, &[], "")).unwrap_err();
        assert!(matches!(fault, AdapterFault::Contract(_)), "{status}: {fault:?}");
    }
    for status in [401, 429] {
        let step = host().resume_send(&quiet, begin(), &response(status, &[], "")).unwrap();
        let AdapterStep::Request(_, pending) = step else { panic!("{status}") };
        assert_eq!((pending.round, pending.submitted), (2, true));
    }
    assert!(host().check(&quiet).is_err(), "a check may not submit");
}
