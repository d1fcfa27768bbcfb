//! Too much of something: time, stack, memory, output, log lines, names of metrics.

use std::{
    hint::black_box,
    mem,
    sync::atomic::{AtomicU32, Ordering},
};

use hermes_adapter_sdk::{
    contract::{Entry, HttpRequest, Level, ReceiptStatus, Received},
    host::{self, LogLevel},
    receipt,
};

/// Length of what is aliased, in bytes.
const ALIASED_BYTES: usize = 1 << 20;

/// Calls that this instance has served as `count`.
pub(crate) fn calls() -> u32 {
    static CALLS: AtomicU32 = AtomicU32::new(0);
    CALLS.fetch_add(1, Ordering::Relaxed) + 1
}

pub(crate) fn run(flood: &str, request: &mut HttpRequest) {
    match flood {
        "bomb" => hoard(),
        // Within its limit.
        "swell" => drop(black_box(vec![1_u8; 8 << 20])),
        "big" => request.body = vec![b'x'; 17 << 20],
        "aliased_headers" => {
            let pair = |value| ("x-a".to_owned(), value);
            request.headers = aliases(100).into_iter().map(pair).collect();
        }
        "log_flood" => {
            (0..100_000).for_each(|_| host::log(LogLevel::Warn, &"flood +4520123456 ".repeat(100)));
        }
        "log_million" => (0..1_000_000).for_each(|_| host::log(LogLevel::Warn, "x")),
        "metric_million" => (0..1_000_000).for_each(|number| host::emit_metric(&format!("n{number}"), 1)),
        "metric_trap" => {
            let series = host::get_config("series").unwrap_or_default();
            (0..10).for_each(|number| host::emit_metric(&format!("{series}_{number}"), 1));
            std::process::abort();
        }
        "metric_odd" => {
            let long = "x".repeat(41);
            let odd = ["", "UPPER", "a b", "a\nb", "a\"} 1", "sms.sent", "\u{e6}", &long];
            odd.iter().for_each(|name| host::emit_metric(name, u64::MAX));
            host::emit_metric("fine", 1);
        }
        _ => (),
    }
}

pub(crate) fn endless() {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Touches all memory that it can get, then asks for more.
pub(crate) fn hoard() {
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(vec![1_u8; 1 << 20]));
    }
}

/// Never comes back: each call needs the result of the next.
#[expect(unconditional_recursion, reason = "that is the point")]
pub(crate) fn recurse(depth: u64) -> u64 {
    black_box(recurse(black_box(depth) + 1)) ^ depth
}

/// Texts that all lie at the same place in memory: small here, large for whoever copies each.
pub(crate) fn aliases(count: usize) -> Vec<String> {
    let text = mem::ManuallyDrop::new("x".repeat(ALIASED_BYTES));
    // SAFETY: there is none. Freed one by one these would corrupt the guest's own heap; a host that is
    // sound does not care, and one that refuses them never lets the guest free them.
    let alias = |_| unsafe { String::from_raw_parts(text.as_ptr().cast_mut(), text.len(), text.len()) };
    (0..count).map(alias).collect()
}

/// Receipts that say 100 MiB of nothing.
pub(crate) fn aliased_entries() -> Received {
    let entry = |text| {
        let mut one = receipt(None, None, ReceiptStatus::Reached(Level::Sent));
        one.account = Some(text);
        Entry::Receipt(one)
    };
    Received { entries: aliases(100).into_iter().map(entry).collect(), reply: None }
}
