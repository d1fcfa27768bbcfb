//! What a hostile call leaves behind: no instance, no seat in the pool, no memory, no waiting neighbour.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use hermes_domain::{ConnectionId, UnixMillis, outcome::Outcome};
use hermes_ports::adapter::{AdapterFault, AdapterHost, AdapterStep, ConnectionAccess};
use hermes_wasm_host::{HostOptions, WasmHost};

use crate::{
    capture::counting_lines,
    hostile::{bad, fresh_host, good},
    support::{GUEST_TIME_MS, done, options, sms},
};

/// Everything that ends as a fault: traps, limits, and answers that break the contract.
const FAULTS: [&str; 12] = [
    "trap",
    "recurse",
    "bomb",
    "loop",
    "metric_trap",
    "aliased_headers",
    "big",
    "crlf",
    "many_headers",
    "url_user",
    "target",
    "long_id",
];
/// Calls that must get through while loops run.
const NEIGHBOURS_MIN: usize = 20;
/// Loops on each thread.
const ROUNDS: u64 = 5;
/// What memory may grow by while 45 more bombs explode: four instances' worth. Keeping each bomb's
/// 14 MiB would be ten times as much.
#[cfg(target_os = "linux")]
const GROWTH_MAX_BYTES: usize = 64 << 20;

/// How many calls in a row the instance behind the host has served.
pub(crate) fn count(host: &WasmHost) -> u32 {
    let Outcome::Accepted(told) = done(host.send(&bad("count"), &sms("hi")).unwrap()) else { panic!() };
    told.provider_message_id.unwrap().parse().unwrap()
}

/// With one seat in all, a seat that is not given back makes the next call `Busy`, and an instance that is
/// not dropped goes on counting.
#[test]
fn a_fault_costs_the_instance_and_gives_back_its_seat() {
    let host = fresh_host(HostOptions { instances_max: 1, ..options() });
    for behaviour in FAULTS {
        assert_eq!(count(&host), 1, "{behaviour}");
        assert_eq!(count(&host), 2, "a good instance is used again");
        let fault = host.send(&bad(behaviour), &sms("hi")).expect_err(behaviour);
        assert_ne!(fault, AdapterFault::Busy, "{behaviour}");
        assert_eq!(count(&host), 1, "{behaviour}");
        assert!(host.send(&bad("trap"), &sms("hi")).is_err());
    }
}

/// What the process holds in memory.
#[cfg(target_os = "linux")]
fn resident_bytes() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() << 10
}

#[cfg(target_os = "linux")]
#[test]
fn memory_returns_to_its_baseline() {
    let host = fresh_host(options());
    for behaviour in ["bomb", "swell", "big", "aliased_headers", "recurse"] {
        let round = || drop(host.send(&bad(behaviour), &sms("hi")));
        (0..5).for_each(|_| round());
        let early = resident_bytes();
        (0..45).for_each(|_| round());
        let late = resident_bytes();
        assert!(late < early + GROWTH_MAX_BYTES, "{behaviour}: from {early} to {late} bytes");
    }
}

/// The same connection under another id, as suspicion is by id.
fn under(connection: &ConnectionAccess, id: u64) -> ConnectionAccess {
    let mut connection = connection.clone();
    Arc::make_mut(&mut connection.connection).id = ConnectionId::new(UnixMillis(1), u128::from(id));
    connection
}

#[test]
fn neighbours_are_served_while_loops_hold_every_worker() {
    let host = fresh_host(options());
    host.install_embedded().unwrap();
    let workers = thread::available_parallelism().unwrap().get();
    // A guest writes a line when it begins to loop.
    let (begun, ended) = (Arc::new(AtomicUsize::new(0)), AtomicUsize::new(0));
    let looping = |worker: u64| {
        for round in 0..ROUNDS {
            // A connection of its own each time: those that have looped before share one thread.
            let connection = under(&bad("loop"), worker * ROUNDS + round);
            let fault = counting_lines(&begun, || host.send(&connection, &sms("hi")).unwrap_err());
            ended.fetch_add(1, Ordering::SeqCst);
            assert_eq!(fault, AdapterFault::TimeLimit { limit_ms: GUEST_TIME_MS });
        }
    };
    let neighbour = || {
        let mut served = 0;
        while ended.load(Ordering::SeqCst) < workers * ROUNDS as usize {
            let before = (begun.load(Ordering::SeqCst), ended.load(Ordering::SeqCst));
            let step = host.send(&good(), &sms("hi"));
            assert!(matches!(step, Ok(AdapterStep::Request(..))), "{step:?}");
            let after = (begun.load(Ordering::SeqCst), ended.load(Ordering::SeqCst));
            // Every worker's guest was looping before this call began, and still is.
            served += usize::from(before == after && before.0 == before.1 + workers);
        }
        served
    };
    let served = thread::scope(|scope| {
        for worker in 0..workers as u64 {
            let looping = &looping;
            scope.spawn(move || looping(worker));
        }
        scope.spawn(neighbour).join().unwrap()
    });
    assert!(served >= NEIGHBOURS_MIN, "{served} calls were served while {workers} loops ran");
}
