//! Too much of everything: what reaches the host's memory, its log and its metrics has a limit.

use std::{thread, time::Instant};

use hermes_ports::adapter::{AdapterFault, AdapterHost, AdapterStep};
use hermes_wasm_host::HostOptions;
use serde_json::json;

use crate::{
    capture::{Captured, captured},
    hostile::{LONG, bad, bad_with, fault, fresh_host, host, the_good_one_works},
    hostile_neighbours::count,
    support::{options, post, sms},
};

/// A log line costs at least 256 of the 4096 bytes that a call may log.
const LINES_MAX: usize = 16;
/// Names of metrics that a revision may use.
const NAMES_MAX: usize = 16;
/// Stack of a thread with just enough room for a guest's 256 KiB and the host around it. Workers of the
/// runtime have 2 MiB.
const SMALL_STACK_BYTES: usize = 512 << 10;

#[test]
fn endless_recursion_ends_as_a_trap_even_on_a_small_stack() {
    let overflow = AdapterFault::Trap("wasm trap: call stack exhausted".to_owned());
    assert_eq!(fault("recurse"), overflow);
    host(); // Compiling takes more stack than calling does.
    let small = thread::Builder::new().stack_size(SMALL_STACK_BYTES);
    let deep = small.spawn(|| (0..3).map(|_| fault("recurse")).collect::<Vec<_>>()).unwrap();
    assert_eq!(deep.join().unwrap(), vec![overflow; 3]);
}

/// A hundred headers or receipts that share one text of 1 MiB: little for the guest, 100 MiB for whoever
/// copies each. The engine counts bytes before it copies them, so the call ends at `output_max_bytes`.
#[test]
fn output_that_is_small_for_the_guest_and_huge_for_the_host_is_not_copied() {
    let headers = fault("aliased_headers");
    let webhook = post("https://hermes.example.com/receipts/hostile/prv_1", &[], "");
    let entries = host().receive(&bad("aliased_entries"), &webhook).unwrap_err();
    for fault in [headers, entries] {
        let AdapterFault::Contract(why) = &fault else { panic!("{fault:?}") };
        // It ended while the answer was being read, not after.
        assert!(why.contains("fuel allocated for hostcalls has been exhausted"), "{why}");
    }
}

/// The same limit holds for what one call of a host function is given: a guest may have more memory than it
/// may hand over.
#[test]
fn an_answer_within_the_limit_passes() {
    let roomy = fresh_host(HostOptions { output_max_bytes: 20 << 20, ..options() });
    assert!(matches!(roomy.send(&bad("big"), &sms("hi")), Ok(AdapterStep::Request(..))));
    assert!(matches!(fault("big"), AdapterFault::Contract(_)));
}

fn flooded(behaviour: &str) -> Captured {
    let host = fresh_host(options());
    let started = Instant::now();
    let (result, captured) = captured(|| host.send(&bad(behaviour), &sms("hi")));
    // Crossing into the host a million times may take longer than a call may.
    assert!(matches!(result, Ok(_) | Err(AdapterFault::TimeLimit { .. })), "{behaviour}: {result:?}");
    assert!(started.elapsed() < LONG, "{behaviour}");
    the_good_one_works();
    captured
}

#[test]
fn a_million_log_lines_leave_a_few() {
    for behaviour in ["log_million", "log_flood"] {
        let captured = flooded(behaviour);
        let lines = captured.lines();
        assert!((1..=LINES_MAX).contains(&lines.len()), "{behaviour}: {} lines", lines.len());
        assert!(lines.iter().all(|line| line.len() < 1_000 && !line.contains("4520123456")), "{lines:?}");
    }
}

#[test]
fn a_million_names_of_metrics_leave_a_few() {
    let captured = flooded("metric_million");
    assert_eq!(captured.counters().len(), NAMES_MAX, "{captured:?}");
}

/// A trap costs the guest its instance; the names that it has used stay used.
#[test]
fn a_guest_that_traps_gets_no_fresh_names() {
    let host = fresh_host(options());
    let ((), captured) = captured(|| {
        for series in 0..20 {
            let connection = bad_with("metric_trap", json!({ "series": format!("s{series}") }));
            assert!(matches!(host.send(&connection, &sms("hi")), Err(AdapterFault::Trap(_))));
        }
    });
    assert_eq!(captured.counters().len(), NAMES_MAX, "{captured:?}");
}

#[test]
fn only_plain_names_become_metrics() {
    let captured = flooded("metric_odd");
    let [only] = captured.counters().try_into().unwrap();
    assert!(only.contains("fine"), "{only}");
}

#[test]
fn a_guest_may_use_memory_below_its_limit() {
    let host = fresh_host(options());
    assert_eq!((count(&host), count(&host)), (1, 2));
    host.send(&bad("swell"), &sms("hi")).unwrap();
    // An instance that grew large retires, although its call was fine.
    assert_eq!(count(&host), 1);
}
