//! `[wasm]`: limits of adapters.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use crate::byte_size::ByteSize;
use crate::reader::Reader;

/// Limits of one adapter call, and of all adapters together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wasm {
    /// Linear memory of an instance.
    pub memory_max: ByteSize,
    /// Time in the guest.
    pub guest_time: Duration,
    /// Instances alive at one time.
    pub instances_max: NonZeroUsize,
    /// Requests that one attempt may make.
    pub rounds_max: u32,
    /// What one call may log.
    pub log_max: ByteSize,
    /// What one call may return.
    pub output_max: ByteSize,
    /// Where compiled adapters are kept; `None` means below the data directory.
    pub cache_dir: Option<PathBuf>,
}

impl Wasm {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        Self {
            // Below one page of 64 KiB no module starts; above 4 GiB it is not a 32-bit one.
            memory_max: reader.bytes("wasm.memory_max_bytes", 64 << 10..=4 << 30),
            guest_time: reader.millis("wasm.guest_time_ms", 1..=10_000),
            instances_max: reader.count("wasm.instances_max", 100_000),
            rounds_max: reader.integer("wasm.rounds_max", 1..=16),
            log_max: reader.bytes("wasm.log_bytes_max", 0..=1 << 20),
            output_max: reader.bytes("wasm.output_max_bytes", 1_024..=64 << 20),
            cache_dir: reader.optional_path("wasm.cache_dir"),
        }
    }
}
