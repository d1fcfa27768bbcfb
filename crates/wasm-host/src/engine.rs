//! The WebAssembly engine: pooled where the machine allows it.

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::options::HostOptions;

/// No engine can be made on this machine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// The engine refused its configuration.
    #[error("could not start the WebAssembly engine")]
    Start(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The thread that measures guest time could not be started.
    #[error("could not start the thread that measures guest time")]
    Ticker(#[source] std::io::Error),
}

/// Core instances of one component: the guest's module and the small ones that `wit-component` adds.
const CORE_INSTANCES_PER_COMPONENT: u32 = 8;
/// Tables of one component.
const TABLES_PER_COMPONENT: u32 = 4;
/// Entries of one table.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 10_000;
/// Stack of a guest, in bytes. It lies on the stack of the thread that calls, so a thread must have this
/// much left and room for the host besides: 512 KiB are enough, the runtime's workers have 2 MiB. On a
/// smaller one the guest would reach the guard page first, which ends the process.
const STACK_BYTES_MAX: usize = 256 << 10;
/// Unmapped bytes behind each memory; accesses beyond are checked in code.
const GUARD_BYTES: u64 = 64 << 10;

/// An engine with pooled memory or, where that much address space cannot be reserved, without.
pub(crate) fn start(options: &HostOptions) -> Result<Engine, EngineError> {
    let pooled = Engine::new(config(options).allocation_strategy(pooling(options)));
    pooled.or_else(|error| {
        tracing::warn!(error = %error, "pooled memory is not available, adapters start slower");
        Engine::new(&config(options)).map_err(|error| EngineError::Start(error.into()))
    })
}

fn config(options: &HostOptions) -> Config {
    let mut config = Config::new();
    config.epoch_interruption(true).concurrency_support(false);
    config.wasm_memory64(false).wasm_multi_memory(false);
    config.wasm_backtrace_max_frames(None).generate_address_map(false);
    config.max_wasm_stack(STACK_BYTES_MAX);
    // One slot per instance instead of 4 GiB of address space: 256 instances then reserve 4 GiB, not 1 TiB.
    config.memory_reservation(options.memory_max_bytes as u64).memory_guard_size(GUARD_BYTES);
    config.memory_reservation_for_growth(0);
    config
}

fn pooling(options: &HostOptions) -> InstanceAllocationStrategy {
    let mut pool = PoolingAllocationConfig::new();
    let instances = options.instances_max;
    pool.total_component_instances(instances).total_core_instances(instances * CORE_INSTANCES_PER_COMPONENT);
    pool.total_memories(instances).total_tables(instances * TABLES_PER_COMPONENT);
    pool.max_core_instances_per_component(CORE_INSTANCES_PER_COMPONENT).max_memories_per_component(1);
    pool.max_tables_per_component(TABLES_PER_COMPONENT).table_elements(TABLE_ELEMENTS_MAX);
    pool.max_memory_size(options.memory_max_bytes);
    InstanceAllocationStrategy::Pooling(pool)
}
