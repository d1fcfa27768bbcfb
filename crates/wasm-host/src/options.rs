//! What the host allows guests.

use std::path::PathBuf;

/// Limits of guests and of the engine. `Default` is what production uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostOptions {
    /// Linear memory of one instance, in bytes.
    pub memory_max_bytes: usize,
    /// Processor time of one call, in milliseconds.
    pub guest_time_ms: u64,
    /// Live instances of all adapters together.
    pub instances_max: u32,
    /// Requests of one attempt.
    pub rounds_max: u8,
    /// What one call may hand to the host in all, in bytes.
    pub output_max_bytes: usize,
    /// What one call may log, in bytes.
    pub log_bytes_max: usize,
    /// Where compiled code is kept between starts; `None` compiles at every start.
    pub cache_dir: Option<PathBuf>,
}

impl Default for HostOptions {
    fn default() -> Self {
        Self {
            memory_max_bytes: 64 << 20,
            guest_time_ms: 10,
            instances_max: 256,
            rounds_max: 4,
            output_max_bytes: 16 << 20,
            log_bytes_max: 4 << 10,
            cache_dir: None,
        }
    }
}
