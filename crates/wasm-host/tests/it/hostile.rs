//! Adapters that misbehave hurt their own call only.

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use hermes_domain::outcome::Outcome;
use hermes_ports::adapter::{AdapterFault, AdapterHost, AdapterStep, ConnectionAccess};
use hermes_wasm_host::WasmHost;
use serde_json::json;

use crate::support::{GUEST_TIME_MS, access, asked, done, options, post, response, sms};

const HOSTILE: &[u8] = include_bytes!("../hostile/hostile.wasm");

/// A host with one good and one bad adapter.
fn host() -> &'static WasmHost {
    static HOST: LazyLock<WasmHost> = LazyLock::new(|| {
        let host = WasmHost::new(options()).unwrap();
        host.install_embedded().unwrap();
        let info = host.install("hostile", HOSTILE).unwrap();
        host.activate("hostile", info.version).unwrap();
        host
    });
    &HOST
}

fn bad(behaviour: &str) -> ConnectionAccess {
    access("hostile", json!({ "behaviour": behaviour }), &[("auth_token", "secret"), ("other", "secret too")])
}

fn fault(behaviour: &str) -> AdapterFault {
    let started = Instant::now();
    let fault = host().send(&bad(behaviour), &sms("hi")).unwrap_err();
    // Far above the limit of 10 ms, as test machines stall; an endless loop would never come here.
    assert!(started.elapsed() < Duration::from_secs(10), "{behaviour}");
    the_good_one_works();
    fault
}

fn the_good_one_works() {
    let good = access("twilio", json!({ "from": "ACME" }), &[("account_sid", "AC1"), ("auth_token", "t")]);
    let (request, _) = asked(host().send(&good, &sms("hi")).unwrap());
    assert!(request.url.starts_with("https://api.twilio.com/"));
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
fn secrets_stay_with_the_host() {
    let (request, _) = asked(host().send(&bad("peek"), &sms("hi")).unwrap());
    assert!(!format!("{request:?}").contains("secret"));
}

#[test]
fn a_flood_of_log_lines_is_cut_and_harmless() {
    let result = host().send(&bad("log_flood"), &sms("hi"));
    // Crossing into the host 100,000 times may take longer than a call may.
    assert!(matches!(result, Ok(_) | Err(AdapterFault::TimeLimit { .. })), "{result:?}");
    the_good_one_works();
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
