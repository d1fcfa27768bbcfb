//! One instance of an adapter, and what bounds a call on it.

use std::{fmt, sync::Arc, time::Duration};

use hermes_ports::adapter::{AdapterFault, ConnectionAccess, Descriptor};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::{
    cpu_time::Stopwatch,
    exports::{Exports, Guest},
    guest::GuestState,
    metric_names::MetricNames,
    options::HostOptions,
};

/// Calls after which an instance retires: a guest that leaks or fragments gets fresh memory now and then.
const CALLS_MAX: u32 = 10_000;

/// Memory beyond which an instance retires after its call: a large attachment must not stay resident.
const MEMORY_KEPT_MAX_BYTES: usize = 4 << 20;
/// What a call may take longer for each mebibyte that it is given, in milliseconds: copying and encoding
/// an attachment is work, not a loop.
const EXTRA_MS_PER_MIB: u64 = 20;

/// What a new instance is made from.
pub(crate) struct Mould<'a> {
    /// Name of the adapter.
    pub(crate) adapter: Arc<str>,
    /// Its descriptor, once it is known.
    pub(crate) descriptor: Option<Arc<Descriptor>>,
    /// Names under which its instances count.
    pub(crate) metric_names: MetricNames,
    /// Its linked component.
    pub(crate) exports: &'a Exports,
}

/// A live instance.
pub(crate) struct Instance {
    store: Store<GuestState>,
    guest: Guest,
    calls: u32,
}

/// The guest used up its time.
#[derive(Debug)]
struct TimeUp;

impl fmt::Display for TimeUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("time limit reached")
    }
}

impl std::error::Error for TimeUp {}

impl Instance {
    /// Instantiates; a component may run code doing so, within the same limits as a call.
    pub(crate) fn start(mould: Mould<'_>, options: &HostOptions) -> Result<Self, AdapterFault> {
        let state =
            GuestState::new(mould.adapter, mould.descriptor, mould.metric_names, options.memory_max_bytes);
        let mut store = Store::new(mould.exports.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(options.output_max_bytes);
        store.epoch_deadline_callback(move |context| match context.data().time_left() {
            Some(left) => Ok(UpdateDeadline::Continue(ticks(left))),
            None => Err(wasmtime::Error::from(TimeUp)),
        });
        begin(&mut store, None, 0, options);
        let guest = mould.exports.instantiate(&mut store).map_err(|error| fault(&store, &error, options))?;
        Ok(Self { store, guest, calls: 0 })
    }

    /// Runs one exported function, given `input_bytes`, on behalf of a connection. After an error the
    /// instance must be dropped.
    pub(crate) fn call<T>(
        &mut self,
        access: Option<&ConnectionAccess>,
        input_bytes: usize,
        options: &HostOptions,
        function: impl FnOnce(&Guest, &mut Store<GuestState>) -> wasmtime::Result<T>,
    ) -> Result<T, AdapterFault> {
        begin(&mut self.store, access, input_bytes, options);
        let result = function(&self.guest, &mut self.store);
        self.store.data_mut().access = None;
        self.calls += 1;
        result.map_err(|error| fault(&self.store, &error, options))
    }

    /// Whether it has served long enough.
    pub(crate) fn is_worn(&self) -> bool {
        self.calls >= CALLS_MAX || self.store.data().memory.size_bytes > MEMORY_KEPT_MAX_BYTES
    }
}

fn begin(
    store: &mut Store<GuestState>,
    access: Option<&ConnectionAccess>,
    input_bytes: usize,
    options: &HostOptions,
) {
    let extra_ms = (input_bytes >> 20) as u64 * EXTRA_MS_PER_MIB;
    let limit = Duration::from_millis(options.guest_time_ms + extra_ms);
    let state = store.data_mut();
    state.access = access.cloned();
    state.memory.refused = false;
    state.log_bytes_left = options.log_bytes_max;
    state.time_limit = limit;
    state.stopwatch = Stopwatch::start();
    store.set_epoch_deadline(ticks(limit));
}

/// Ticks of a millisecond until `left` is over, counting the one under way.
fn ticks(left: Duration) -> u64 {
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

/// What went wrong. Names no data of the guest.
fn fault(store: &Store<GuestState>, error: &wasmtime::Error, options: &HostOptions) -> AdapterFault {
    if error.downcast_ref::<TimeUp>().is_some() {
        return AdapterFault::TimeLimit {
            limit_ms: u64::try_from(store.data().time_limit.as_millis()).unwrap_or(u64::MAX),
        };
    }
    if store.data().memory.refused {
        return AdapterFault::MemoryLimit { limit_bytes: options.memory_max_bytes };
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => AdapterFault::Trap(trap.to_string()),
        None => AdapterFault::Contract(error.root_cause().to_string().chars().take(200).collect()),
    }
}
