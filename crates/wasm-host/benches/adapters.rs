//! What an adapter costs, without the network: `cargo bench -p hermes-wasm-host`.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use hermes_domain::{
    ConnectionId, UnixMillis,
    address::{Channel, Destination, Phone},
    connection::Connection,
    content::{ChannelContent, Sms},
    message::Mode,
};
use hermes_ports::{
    adapter::{AdapterHost, AdapterStep, ConnectionAccess, Secrets, SendCall},
    http::HttpResponse,
};
use hermes_telemetry::names::metric;
use hermes_wasm_host::{HostOptions, WasmHost, embedded};
use metrics_util::debugging::{DebugValue, DebuggingRecorder};
use serde_json::{Value, json};

const WARM_UP: usize = 2_000;
const CALLS: usize = 50_000;
/// Calls a second while versions are swapped, for as many seconds.
const SWAP_RATE: u32 = 1_000;
const SWAP_SECONDS: u32 = 10;
/// Threads that call at once, so that many instances live.
const CROWD: usize = 64;
const NEXT: &[u8] = include_bytes!("../tests/hostile/twilio_next.wasm");

fn main() {
    let host = WasmHost::new(HostOptions::default()).expect("an engine");
    host.install_embedded().expect("embedded adapters");
    let cases = [
        (
            "twilio",
            json!({ "from": "ACME" }),
            vec!["account_sid", "auth_token"],
            (201, r#"{"sid":"SM1","status":"queued"}"#),
        ),
        (
            "vonage",
            json!({ "from": "ACME" }),
            vec!["api_key", "api_secret"],
            (202, r#"{"message_uuid":"a-1"}"#),
        ),
        (
            "messente",
            json!({}),
            vec!["username", "password"],
            (201, r#"{"omnimessage_id":"o","messages":[{"message_id":"m"}]}"#),
        ),
    ];
    println!("a submission and its answer, {CALLS} times, reused instances:");
    for (provider, config, secrets, answer) in cases {
        send(&host, &access(provider, config, &secrets), answer);
    }
    load();
    swap(&host);
    memory();
}

fn access(provider: &str, config: Value, secrets: &[&str]) -> ConnectionAccess {
    let config = config.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone()));
    let connection = Connection {
        id: ConnectionId::new(UnixMillis(0), 1),
        tenant: None,
        mode: Mode::Live,
        provider: provider.to_owned(),
        name: provider.to_owned(),
        channel: Channel::Sms,
        config: config.collect(),
        rate_per_s: None,
        held: false,
        created_at: UnixMillis(0),
    };
    let secrets: BTreeMap<_, _> = secrets.iter().map(|name| ((*name).to_owned(), "AC1".to_owned())).collect();
    ConnectionAccess { connection: Arc::new(connection), secrets: Arc::new(Secrets(secrets)) }
}

fn message() -> SendCall {
    let reference = "msg_01KDYYXGFEMXQKR0ZC0000001A.1";
    SendCall {
        reference: reference.parse().expect("a reference"),
        to: Destination::Sms(Phone::parse("+447400123456").expect("a number")),
        sender: None,
        content: ChannelContent::Sms(Sms {
            text: Some("Your code is 123456".to_owned()),
            media_urls: Vec::new(),
        }),
        callback_url: format!("https://hermes.example.com/receipts/x/prv_1?ref={reference}"),
        valid_for_s: 3_600,
        expires_at: UnixMillis(1_767_326_645_678),
        tags: Vec::new(),
        ack_url: None,
        alternate: false,
    }
}

/// Builds a request and reads the answer to it.
fn once(host: &WasmHost, access: &ConnectionAccess, call: &SendCall, answer: &HttpResponse) -> bool {
    let Ok(AdapterStep::Request(_, pending)) = host.send(access, call) else { return false };
    matches!(host.resume_send(access, pending, answer), Ok(AdapterStep::Done(_)))
}

fn response((status, body): (u16, &'static str)) -> HttpResponse {
    HttpResponse { status, headers: Vec::new(), body: Bytes::from_static(body.as_bytes()) }
}

fn send(host: &WasmHost, access: &ConnectionAccess, answer: (u16, &'static str)) {
    let (call, answer) = (message(), response(answer));
    let mut times = Vec::with_capacity(CALLS);
    for index in 0..WARM_UP + CALLS {
        let began = Instant::now();
        assert!(once(host, access, &call, &answer), "{}", access.connection.provider);
        if index >= WARM_UP {
            times.push(began.elapsed());
        }
    }
    println!("  {:<9} {}", access.connection.provider, percentiles(times));
}

fn percentiles(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize];
    format!("p50 {:?}, p99 {:?}, longest {:?}", at(0.5), at(0.99), at(1.0))
}

/// From a component's bytes to code that can run, and to a revision that has passed its smoke test.
fn load() {
    let cache = tempfile::tempdir().expect("a directory");
    let options = || HostOptions { cache_dir: Some(cache.path().to_owned()), ..HostOptions::default() };
    println!("load, and with the smoke test:");
    for (what, fresh) in [("compiled", true), ("from the code cache", false), ("from the code cache", false)]
    {
        let host = WasmHost::new(options()).expect("an engine");
        for adapter in embedded() {
            let recorder = DebuggingRecorder::new();
            let began = Instant::now();
            metrics::with_local_recorder(&recorder, || host.install(adapter.name, adapter.component))
                .expect("it is good");
            let all = began.elapsed();
            if adapter.name == "twilio" || !fresh {
                println!("  {:<9} {what}: {:?}, {all:?}", adapter.name, code_loaded_in(&recorder));
            }
        }
    }
}

/// What the host recorded of its own load.
fn code_loaded_in(recorder: &DebuggingRecorder) -> Duration {
    let seconds =
        recorder.snapshotter().snapshot().into_vec().into_iter().find_map(|(key, _, _, value)| match value {
            DebugValue::Histogram(values) if key.key().name() == metric::ADAPTER_LOAD_SECONDS => {
                values.first().map(|seconds| seconds.into_inner())
            }
            DebugValue::Histogram(_) | DebugValue::Counter(_) | DebugValue::Gauge(_) => None,
        });
    Duration::from_secs_f64(seconds.expect("every load is recorded"))
}

/// Calls at an even rate while another thread swaps versions ten times a second.
fn swap(host: &WasmHost) {
    let access = access("twilio", json!({ "from": "ACME" }), &["account_sid", "auth_token"]);
    let (call, answer) = (message(), response((201, r#"{"sid":"SM1","status":"queued"}"#)));
    let versions =
        [host.active_version("twilio").expect("active"), host.install("twilio", NEXT).expect("good").version];
    let (stop, mut times, mut failed) = (AtomicBool::new(false), Vec::new(), 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for round in 0.. {
                if stop.load(Ordering::Relaxed) {
                    break;
                }
                host.activate("twilio", versions[round % 2]).expect("installed");
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let began = Instant::now();
        for index in 0..SWAP_RATE * SWAP_SECONDS {
            let due = began + Duration::from_secs(1) / SWAP_RATE * index;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            failed += u32::from(!once(host, &access, &call, &answer));
            times.push(due.elapsed()); // From when it was due: a wait counts too.
        }
        stop.store(true, Ordering::Relaxed);
    });
    println!("swap ten times a second under {SWAP_RATE} calls/s: {failed} failed, {}", percentiles(times));
}

/// Resident memory of the instances that a crowd of callers leaves behind.
fn memory() {
    let host = WasmHost::new(HostOptions::default()).expect("an engine");
    host.install_embedded().expect("embedded adapters");
    let access = access("twilio", json!({ "from": "ACME" }), &["account_sid", "auth_token"]);
    let (call, answer) = (message(), response((201, r#"{"sid":"SM1","status":"queued"}"#)));
    let crowd = |until: Duration| {
        std::thread::scope(|scope| {
            for _ in 0..CROWD {
                scope.spawn(|| {
                    let began = Instant::now();
                    while began.elapsed() < until {
                        once(&host, &access, &call, &answer);
                    }
                });
            }
        });
    };
    once(&host, &access, &call, &answer);
    let (instances, before) = (host.live_instances(), resident_bytes());
    crowd(Duration::from_secs(3));
    let (more, grown) = (host.live_instances() - instances, resident_bytes().saturating_sub(before));
    println!("memory: {more} more instances, {} KiB resident each", grown / u64::from(more.max(1)) / 1024);
}

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() * 1024
}
