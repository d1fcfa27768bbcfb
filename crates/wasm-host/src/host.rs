//! The host itself: [`AdapterHost`] over pooled instances.

mod steps;

use std::{fmt, sync::Arc, time::Instant};

use hermes_domain::{cascade::AdapterVersion, outcome::Outcome};
use hermes_ports::{
    adapter::{
        AdapterFault, AdapterHost, AdapterInfo, AdapterRejected, AdapterStep, ConnectionAccess, Descriptor,
        ListAnswer, ListOperation, LookupQuery, Pending, ReceiveResult, SendCall,
    },
    http::{HttpResponse, Webhook},
};
use hermes_telemetry::names::{label, metric};
use wasmtime::{Store, component::Linker};

use self::steps::resumed;
use crate::{
    bindings::wit,
    canary::Canary,
    contract::{Progress, broken},
    convert, descriptor,
    embedded::embedded,
    engine::{self, EngineError},
    exports::Guest,
    guest::GuestState,
    instance::Instance,
    options::HostOptions,
    pool::Pool,
    registry::Registry,
    revision::{self, Revision},
    smoke,
    suspects::Suspects,
    ticker::Ticker,
};

/// Hosts adapters in WebAssembly.
pub struct WasmHost {
    registry: Registry,
    suspects: Suspects,
    // Fields are dropped in order: instances first, the clock and the engine last.
    pool: Pool,
    linker: Linker<GuestState>,
    ticker: Ticker,
    options: HostOptions,
}

impl fmt::Debug for WasmHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WasmHost").field("options", &self.options).finish_non_exhaustive()
    }
}

impl WasmHost {
    /// An engine without adapters.
    ///
    /// # Errors
    /// When the machine cannot run one.
    pub fn new(options: HostOptions) -> Result<Self, EngineError> {
        let engine = engine::start(&options)?;
        let linker = revision::linker(&engine).map_err(|error| EngineError::Start(error.into()))?;
        Ok(Self {
            registry: Registry::default(),
            suspects: Suspects::default(),
            pool: Pool::new(options.instances_max),
            linker,
            ticker: Ticker::start(engine)?,
            options,
        })
    }

    /// Installs and activates the adapters that come with the binary.
    ///
    /// # Errors
    /// When one of them is refused, which a check of the build rules out.
    pub fn install_embedded(&self) -> Result<Vec<AdapterInfo>, AdapterRejected> {
        let install = |name: &str, component: &[u8]| {
            let info = self.install(name, component)?;
            self.activate(name, info.version)
        };
        embedded().iter().map(|adapter| install(adapter.name, adapter.component)).collect()
    }

    /// Instances that exist now, at work or not, of all adapters together.
    pub fn live_instances(&self) -> u32 {
        self.pool.alive()
    }

    fn active(&self, access: &ConnectionAccess) -> Result<Arc<Revision>, AdapterFault> {
        let name = &access.connection.provider;
        self.registry.active(name).ok_or_else(|| AdapterFault::Missing(name.clone()))
    }

    /// Lets a canary build the submission too. Its faults are its own: they say nothing about the connection.
    fn shadow(
        &self,
        canary: &Canary,
        access: &ConnectionAccess,
        call: &wit::SendCall,
        sent: &AdapterStep<Outcome>,
    ) {
        if !canary.takes() {
            return;
        }
        let read = |raw| self.send_step(&canary.revision, access, Progress::SUBMISSION, raw);
        let bytes = convert::content_bytes(call);
        let built = self.run(
            &canary.revision,
            access,
            bytes,
            |guest, store| guest.provider.call_send(store, call),
            read,
        );
        if let Some(compared) = canary.note(sent, built) {
            let provider = access.connection.provider.clone();
            metrics::counter!(metric::CANARY_CALLS_TOTAL, label::PROVIDER => provider, label::RESULT => compared.label())
                .increment(1);
        }
    }

    /// [`Self::run`] on behalf of a connection, which is watched for faults.
    fn call<T, R>(
        &self,
        revision: &Revision,
        access: &ConnectionAccess,
        input_bytes: usize,
        function: impl FnOnce(&Guest, &mut Store<GuestState>) -> wasmtime::Result<T>,
        read: impl FnOnce(T) -> Result<R, AdapterFault>,
    ) -> Result<R, AdapterFault> {
        let connection = access.connection.id;
        let _lane = self.suspects.admit(connection)?;
        let began = Instant::now();
        let result = self.run(revision, access, input_bytes, function, read);
        let provider = || access.connection.provider.clone();
        metrics::histogram!(metric::ADAPTER_GUEST_SECONDS, label::PROVIDER => provider())
            .record(began.elapsed());
        if let Err(fault) = &result
            && *fault != AdapterFault::Busy
        {
            self.suspects.note(connection, fault);
            metrics::counter!(metric::ADAPTER_FAULTS_TOTAL, label::PROVIDER => provider(), label::REASON => fault.kind()).increment(1);
            tracing::warn!(
                adapter.name = access.connection.provider,
                adapter.version = %revision.version,
                provider.connection = %connection,
                error = %fault,
                "adapter fault"
            );
        }
        result
    }

    /// Runs one function of a guest, given `input_bytes`, on a reused or fresh instance, and reads what it
    /// answered. An answer that breaks the contract costs the guest its instance, as a trap does.
    fn run<T, R>(
        &self,
        revision: &Revision,
        access: &ConnectionAccess,
        input_bytes: usize,
        function: impl FnOnce(&Guest, &mut Store<GuestState>) -> wasmtime::Result<T>,
        read: impl FnOnce(T) -> Result<R, AdapterFault>,
    ) -> Result<R, AdapterFault> {
        let (idle, seat) = self.pool.take(revision.version)?;
        let _ticking = self.ticker.ticking();
        let mut instance = idle.map_or_else(|| Instance::start(revision.mould(), &self.options), Ok)?;
        let answer = read(instance.call(Some(access), input_bytes, &self.options, function)?)?;
        if instance.is_worn() {
            drop(instance);
        } else {
            self.pool.put(revision.version, instance, seat);
        }
        Ok(answer)
    }
}

impl AdapterHost for WasmHost {
    fn descriptor(&self, adapter: &str) -> Option<Arc<Descriptor>> {
        self.registry.active(adapter).map(|revision| Arc::clone(&revision.descriptor))
    }

    fn active_version(&self, adapter: &str) -> Option<AdapterVersion> {
        self.registry.active(adapter).map(|revision| revision.version)
    }

    fn send(&self, access: &ConnectionAccess, call: &SendCall) -> Result<AdapterStep<Outcome>, AdapterFault> {
        let revision = self.active(access)?;
        let call = convert::send_call(call);
        let bytes = convert::content_bytes(&call);
        let read = |raw| self.send_step(&revision, access, Progress::SUBMISSION, raw);
        let step =
            self.call(&revision, access, bytes, |guest, store| guest.provider.call_send(store, &call), read)?;
        if let Some(canary) = self.registry.canary(&access.connection.provider) {
            self.shadow(&canary, access, &call, &step);
        }
        Ok(step)
    }

    fn resume_send(
        &self,
        access: &ConnectionAccess,
        pending: Pending,
        response: &HttpResponse,
    ) -> Result<AdapterStep<Outcome>, AdapterFault> {
        let (revision, progress, state) = resumed(pending, response)?;
        let response = convert::response(response);
        let bytes = response.body.len() + state.len();
        let resume = |guest: &Guest, store: &mut _| guest.provider.call_resume_send(store, &state, &response);
        self.call(&revision, access, bytes, resume, |raw| self.send_step(&revision, access, progress, raw))
    }

    fn receive(
        &self,
        access: &ConnectionAccess,
        webhook: &Webhook,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        let revision = self.active(access)?;
        let webhook = convert::webhook(webhook);
        let bytes = webhook.body.len();
        let read = |raw| self.receive_step(&revision, Progress::READING, raw);
        self.call(&revision, access, bytes, |guest, store| guest.provider.call_receive(store, &webhook), read)
    }

    fn resume_receive(
        &self,
        access: &ConnectionAccess,
        webhook: &Webhook,
        pending: Pending,
        response: &HttpResponse,
    ) -> Result<AdapterStep<ReceiveResult>, AdapterFault> {
        let (revision, progress, state) = resumed(pending, response)?;
        let (webhook, response) = (convert::webhook(webhook), convert::response(response));
        let bytes = webhook.body.len() + response.body.len();
        let resume = |guest: &Guest, store: &mut _| {
            guest.provider.call_resume_receive(store, &webhook, &state, &response)
        };
        self.call(&revision, access, bytes, resume, |raw| self.receive_step(&revision, progress, raw))
    }

    fn check(&self, access: &ConnectionAccess) -> Result<AdapterStep<Outcome>, AdapterFault> {
        let revision = self.active(access)?;
        let read = |raw| self.send_step(&revision, access, Progress::READING, raw);
        self.call(&revision, access, 0, |guest, store| guest.provider.call_check(store), read)
    }

    fn lookup(
        &self,
        access: &ConnectionAccess,
        query: &LookupQuery,
    ) -> Result<Option<AdapterStep<Outcome>>, AdapterFault> {
        let revision = self.active(access)?;
        if !revision.descriptor.has_lookup {
            return Ok(None);
        }
        let query = convert::lookup_query(query);
        let bytes = convert::content_bytes(&query.call);
        let read = |raw: Option<_>| {
            raw.map(|raw| self.send_step(&revision, access, Progress::READING, raw)).transpose()
        };
        self.call(&revision, access, bytes, |guest, store| guest.provider.call_lookup(store, &query), read)
    }

    fn suppression_list(
        &self,
        access: &ConnectionAccess,
        operation: &ListOperation,
    ) -> Result<Option<AdapterStep<ListAnswer>>, AdapterFault> {
        let revision = self.active(access)?;
        if revision.descriptor.suppression_list.is_none() {
            return Ok(None);
        }
        let operation = convert::list_operation(operation);
        let begin = |guest: &Guest, store: &mut _| match &guest.list {
            Some(list) => list.call_begin(store, &operation).map(Some),
            None => Ok(None),
        };
        let read = |raw: Option<_>| {
            raw.map(|raw| self.list_step(&revision, access, Progress::READING, raw)).transpose()
        };
        self.call(&revision, access, 0, begin, read)
    }

    fn resume_suppression_list(
        &self,
        access: &ConnectionAccess,
        pending: Pending,
        response: &HttpResponse,
    ) -> Result<AdapterStep<ListAnswer>, AdapterFault> {
        let (revision, progress, state) = resumed(pending, response)?;
        let response = convert::response(response);
        let bytes = response.body.len() + state.len();
        let resume = |guest: &Guest, store: &mut _| match &guest.list {
            Some(list) => list.call_resume(store, &state, &response).map(Some),
            None => Ok(None),
        };
        let read = |raw: Option<_>| match raw {
            Some(raw) => self.list_step(&revision, access, progress, raw),
            None => broken("the adapter has no list"),
        };
        self.call(&revision, access, bytes, resume, read)
    }

    fn install(&self, name: &str, component: &[u8]) -> Result<AdapterInfo, AdapterRejected> {
        if !descriptor::is_name(name) {
            return Err(AdapterRejected::BadDescriptor("the name is not a lower-case word".to_owned()));
        }
        if let Some(info) = self.registry.installed(name, revision::version_of(component)) {
            return Ok(info);
        }
        let _ticking = self.ticker.ticking();
        let revision = Revision::load(name, component, &self.linker, &self.options)?;
        smoke::test(&revision, &self.options)?;
        Ok(self.registry.add(name, revision))
    }

    fn activate(&self, name: &str, version: AdapterVersion) -> Result<AdapterInfo, AdapterRejected> {
        self.registry.activate(name, version)
    }

    fn canary(
        &self,
        name: &str,
        version: AdapterVersion,
        share_percent: u8,
    ) -> Result<AdapterInfo, AdapterRejected> {
        self.registry.observe(name, version, share_percent.min(100))
    }

    fn list(&self) -> Vec<AdapterInfo> {
        self.registry.list()
    }
}
