//! One instance of an adapter, and what bounds a call on it.

use std::{fmt, sync::Arc, time::Duration};

use hermes_ports::adapter::{AdapterFault, ConnectionAccess, Descriptor};
use wasmtime::{Store, Trap, UpdateDeadline};

use crate::{
    bindings::{Adapter, AdapterPre, wit},
    cpu_time::Stopwatch,
    guest::GuestState,
    options::HostOptions,
};

/// Calls after which an instance retires: a guest that leaks or fragments gets fresh memory now and then.
const CALLS_MAX: u32 = 10_000;

/// What a new instance is made from.
pub(crate) struct Mould<'a> {
    /// Name of the adapter.
    pub(crate) adapter: Arc<str>,
    /// Its descriptor, once it is known.
    pub(crate) descriptor: Option<Arc<Descriptor>>,
    /// Its linked component.
    pub(crate) pre: &'a AdapterPre<GuestState>,
}

/// A live instance.
pub(crate) struct Instance {
    store: Store<GuestState>,
    adapter: Adapter,
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
        let state = GuestState::new(mould.adapter, mould.descriptor, options.memory_max_bytes);
        let mut store = Store::new(mould.pre.engine(), state);
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(options.output_max_bytes);
        let limit = Duration::from_millis(options.guest_time_ms);
        store.epoch_deadline_callback(move |context| match context.data().stopwatch.left(limit) {
            Some(left) => Ok(UpdateDeadline::Continue(ticks(left))),
            None => Err(wasmtime::Error::from(TimeUp)),
        });
        begin(&mut store, None, options);
        let adapter = mould.pre.instantiate(&mut store).map_err(|error| fault(&store, &error, options))?;
        Ok(Self { store, adapter, calls: 0 })
    }

    /// Runs one exported function on behalf of a connection. After an error the instance must be dropped.
    pub(crate) fn call<T>(
        &mut self,
        access: Option<&ConnectionAccess>,
        options: &HostOptions,
        function: impl FnOnce(&wit::Guest, &mut Store<GuestState>) -> wasmtime::Result<T>,
    ) -> Result<T, AdapterFault> {
        begin(&mut self.store, access, options);
        let result = function(self.adapter.hermes_adapter_provider(), &mut self.store);
        self.store.data_mut().access = None;
        self.calls += 1;
        result.map_err(|error| fault(&self.store, &error, options))
    }

    /// Whether it has served long enough.
    pub(crate) fn is_worn(&self) -> bool {
        self.calls >= CALLS_MAX
    }
}

fn begin(store: &mut Store<GuestState>, access: Option<&ConnectionAccess>, options: &HostOptions) {
    let state = store.data_mut();
    state.access = access.cloned();
    state.memory.refused = false;
    state.log_bytes_left = options.log_bytes_max;
    state.stopwatch = Stopwatch::start();
    store.set_epoch_deadline(ticks(Duration::from_millis(options.guest_time_ms)));
}

/// Ticks of a millisecond until `left` is over, counting the one under way.
fn ticks(left: Duration) -> u64 {
    u64::try_from(left.as_millis()).unwrap_or(u64::MAX).saturating_add(1)
}

/// What went wrong. Names no data of the guest.
fn fault(store: &Store<GuestState>, error: &wasmtime::Error, options: &HostOptions) -> AdapterFault {
    if error.downcast_ref::<TimeUp>().is_some() {
        return AdapterFault::TimeLimit { limit_ms: options.guest_time_ms };
    }
    if store.data().memory.refused {
        return AdapterFault::MemoryLimit { limit_bytes: options.memory_max_bytes };
    }
    match error.downcast_ref::<Trap>() {
        Some(trap) => AdapterFault::Trap(trap.to_string()),
        None => AdapterFault::Contract(error.root_cause().to_string().chars().take(200).collect()),
    }
}
