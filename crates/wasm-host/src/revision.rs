//! One version of one adapter: validated once, then called many times.

use std::{sync::Arc, time::Instant};

use hermes_domain::cascade::AdapterVersion;
use hermes_ports::adapter::{AdapterInfo, AdapterRejected, Descriptor};
use hermes_telemetry::names::{label, metric};
use wasmtime::{
    Engine,
    component::{Component, HasSelf, Linker},
};

use crate::{
    bindings::wit_host,
    code_cache, crypto, descriptor,
    exports::Exports,
    guest::GuestState,
    instance::{Instance, Mould},
    metric_names::MetricNames,
    options::HostOptions,
};

/// The only import that an adapter may have, in any version up to ours.
const HOST_INTERFACE: &str = "hermes:adapter/host@1.";
/// The newest minor version of the contract.
const MINOR_VERSION: u32 = 2;
/// Longest reason for a refusal, in characters; names in it are the component's own.
const REASON_CHARS_MAX: usize = 300;
/// Largest component.
const COMPONENT_BYTES_MAX: usize = 8 << 20;

/// A version of an adapter.
pub(crate) struct Revision {
    /// Content address.
    pub(crate) version: AdapterVersion,
    /// What it says about itself.
    pub(crate) descriptor: Arc<Descriptor>,
    name: Arc<str>,
    metric_names: MetricNames,
    exports: Exports,
    bytes: usize,
}

/// Gives guests the host functions and nothing else.
pub(crate) fn linker(engine: &Engine) -> wasmtime::Result<Linker<GuestState>> {
    let mut linker = Linker::new(engine);
    wit_host::add_to_linker::<GuestState, HasSelf<GuestState>>(&mut linker, |state| state)?;
    Ok(linker)
}

/// The first 8 bytes of the component's SHA-256.
pub(crate) fn version_of(component: &[u8]) -> AdapterVersion {
    let hash = crypto::sha256(component);
    AdapterVersion(hash.iter().take(8).fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
}

impl Revision {
    /// Compiles, links and describes a component.
    pub(crate) fn load(
        name: &str,
        component: &[u8],
        linker: &Linker<GuestState>,
        options: &HostOptions,
    ) -> Result<Self, AdapterRejected> {
        if component.len() > COMPONENT_BYTES_MAX {
            return Err(AdapterRejected::NotAComponent(format!("larger than {COMPONENT_BYTES_MAX} bytes")));
        }
        let unloadable = |error: wasmtime::Error| AdapterRejected::NotAComponent(in_short(&error));
        let began = Instant::now();
        let compiled =
            code_cache::load(linker.engine(), options.cache_dir.as_deref(), component).map_err(unloadable)?;
        metrics::histogram!(metric::ADAPTER_LOAD_SECONDS, label::PROVIDER => name.to_owned())
            .record(began.elapsed());
        check_imports(&compiled, linker.engine())?;
        let exports = linker.instantiate_pre(&compiled).and_then(Exports::find).map_err(unloadable)?;
        let name: Arc<str> = name.into();
        let descriptor = describe(&name, &exports, options)?;
        let bytes = component.len();
        Ok(Self {
            version: version_of(component),
            descriptor: Arc::new(descriptor),
            name,
            metric_names: MetricNames::default(),
            exports,
            bytes,
        })
    }

    /// What is needed to make an instance.
    pub(crate) fn mould(&self) -> Mould<'_> {
        Mould {
            adapter: Arc::clone(&self.name),
            descriptor: Some(Arc::clone(&self.descriptor)),
            metric_names: self.metric_names.clone(),
            exports: &self.exports,
        }
    }

    /// For lists.
    pub(crate) fn info(&self, active: bool) -> AdapterInfo {
        AdapterInfo {
            name: self.name.to_string(),
            version: self.version,
            semver: self.descriptor.version.clone(),
            active,
            bytes: self.bytes,
            canary: None,
        }
    }
}

fn check_imports(component: &Component, engine: &Engine) -> Result<(), AdapterRejected> {
    let kind = component.component_type();
    let forbidden =
        kind.imports(engine).map(|(name, _)| name.to_owned()).find(|name| !is_host_interface(name));
    forbidden.map_or(Ok(()), |name| Err(AdapterRejected::ForbiddenImport(name)))
}

fn is_host_interface(name: &str) -> bool {
    let rest = name.strip_prefix(HOST_INTERFACE).and_then(|rest| rest.strip_suffix(".0"));
    rest.and_then(|minor| minor.parse().ok()).is_some_and(|minor: u32| minor <= MINOR_VERSION)
}

fn describe(
    name: &Arc<str>,
    exports: &Exports,
    options: &HostOptions,
) -> Result<Descriptor, AdapterRejected> {
    let metric_names = MetricNames::default();
    let mould = Mould { adapter: Arc::clone(name), descriptor: None, metric_names, exports };
    let mut instance = Instance::start(mould, options)
        .map_err(|fault| AdapterRejected::Smoke(format!("at start: {fault}")))?;
    let mut ask = || {
        let raw = instance.call(None, 0, options, |guest, store| {
            let list = guest.list.as_ref().map(|list| list.call_lists(&mut *store)).transpose()?;
            Ok((guest.provider.call_describe(store)?, list.flatten()))
        });
        let raw = raw.map_err(|fault| AdapterRejected::Smoke(format!("describe: {fault}")))?;
        descriptor::read(name, raw)
    };
    let first = ask()?;
    // What was checked here must be what it says later: a guest has nothing else to decide by than how
    // often it was asked.
    if ask()? == first {
        Ok(first)
    } else {
        Err(AdapterRejected::BadDescriptor("it describes itself differently when asked again".to_owned()))
    }
}

/// Causes in a row, the first line of each: what is missing is named by the outer ones, why by the last.
fn in_short(error: &wasmtime::Error) -> String {
    let lines = error.chain().map(|cause| cause.to_string().lines().next().unwrap_or_default().to_owned());
    lines.collect::<Vec<_>>().join(": ").chars().take(REASON_CHARS_MAX).collect()
}
