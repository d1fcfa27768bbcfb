//! What every target shares: its bench, a panic for a finding, and a word to the fuzzer of what came of an input.

use std::{
    error::Error as _,
    path::PathBuf,
    sync::atomic::{AtomicU8, Ordering},
};

use hermes_fuzzing::{Bench, Target};
use hermes_wasm_host::HostOptions;

const COUNTERS: usize = 4_096;

/// libFuzzer sees new counts here as it sees new code: adapters are compiled at run time, where it sees nothing.
#[unsafe(link_section = "__libfuzzer_extra_counters")]
static REACHED: [AtomicU8; COUNTERS] = [const { AtomicU8::new(0) }; COUNTERS];

/// The limits of a server, with fewer instances, and compiled adapters kept between runs.
pub fn bench(target: Target) -> Bench {
    let cache_dir = matches!(target, Target::Receipts(_) | Target::Answers)
        .then(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/adapter-code"));
    let options = HostOptions { cache_dir, instances_max: 4, ..HostOptions::default() };
    Bench::new(target, options).unwrap_or_else(|error| panic!("adapters/dist: {error}"))
}

/// Feeds an input to a target.
///
/// # Panics
/// With what must not happen.
pub fn feed(bench: &Bench, input: &[u8]) {
    match bench.run(input) {
        Ok(words) => words.iter().for_each(|word| reached(word)),
        Err(finding) => match finding.source() {
            Some(cause) => panic!("{finding}: {cause}"),
            None => panic!("{finding}"),
        },
    }
}

/// FNV-1a: words are few.
fn reached(word: &str) {
    let hash = word.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let index = usize::try_from(hash % COUNTERS as u64).unwrap_or_default();
    if let Some(counter) = REACHED.get(index) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// The binary of one target.
#[macro_export]
macro_rules! target {
    ($target:expr) => {
        use std::sync::LazyLock;

        use hermes_fuzzing::{Bench, Target};

        static BENCH: LazyLock<Bench> = LazyLock::new(|| hermes_fuzz::bench($target));

        libfuzzer_sys::fuzz_target!(|input: &[u8]| hermes_fuzz::feed(&BENCH, input));
    };
}
