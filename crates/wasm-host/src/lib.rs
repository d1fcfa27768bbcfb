//! Runs provider adapters: sandboxed WebAssembly components with limits and hot swap.
//!
//! Three phases: link once ([`WasmHost::new`]), validate per revision (`install`), call many times on
//! reused instances. A guest can compute and return requests, nothing else; a trap, a limit or garbage
//! ends its own call as an [`AdapterFault`](hermes_ports::adapter::AdapterFault) and drops the instance.

mod bindings;
mod canary;
mod code_cache;
mod contract;
mod convert;
mod cpu_time;
mod crypto;
mod descriptor;
mod embedded;
mod engine;
mod exports;
mod guest;
mod host;
mod instance;
mod masking;
mod metric_names;
mod options;
mod pool;
mod reach;
mod registry;
mod revision;
mod smoke;
mod suspects;
mod ticker;

pub use embedded::{Embedded, embedded};
pub use engine::EngineError;
pub use host::WasmHost;
pub use options::HostOptions;
