//! What a guest's instance carries on the host's side: limits, and the connection it works for.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use hermes_ports::adapter::{ConnectionAccess, Descriptor};
use hermes_telemetry::names::{label, metric};
use serde_json::Value;
use wasmtime::ResourceLimiter;

use crate::{
    bindings::wit_host::{Hash, Host, LogLevel, RsaHash},
    cpu_time::Stopwatch,
    crypto,
    engine::TABLE_ELEMENTS_MAX,
    masking,
    metric_names::MetricNames,
};

/// Longest name of a metric.
const METRIC_CHARS_MAX: usize = 40;
/// What a log line costs at least, in bytes: the record around it is longer than a short line.
const LOG_LINE_BYTES_MIN: usize = 256;

/// Memory of one instance.
pub(crate) struct MemoryLimit {
    /// The limit in bytes.
    pub(crate) max_bytes: usize,
    /// What the guest has, in bytes; it never shrinks.
    pub(crate) size_bytes: usize,
    /// Whether the guest asked for more during this call.
    pub(crate) refused: bool,
}

/// The store's data.
pub(crate) struct GuestState {
    /// Name of the adapter.
    pub(crate) adapter: Arc<str>,
    /// What the adapter said about itself; `None` only while it says so.
    pub(crate) descriptor: Option<Arc<Descriptor>>,
    /// Whom the running call is for.
    pub(crate) access: Option<ConnectionAccess>,
    /// Memory.
    pub(crate) memory: MemoryLimit,
    /// Bytes that the running call may still log.
    pub(crate) log_bytes_left: usize,
    /// Time that the running call may use.
    pub(crate) time_limit: Duration,
    /// Time that it has used.
    pub(crate) stopwatch: Stopwatch,
    /// Metric names used so far, by all instances of the revision.
    metric_names: MetricNames,
}

impl GuestState {
    /// State of a fresh instance.
    pub(crate) fn new(
        adapter: Arc<str>,
        descriptor: Option<Arc<Descriptor>>,
        metric_names: MetricNames,
        memory_max_bytes: usize,
    ) -> Self {
        Self {
            adapter,
            descriptor,
            access: None,
            memory: MemoryLimit { max_bytes: memory_max_bytes, size_bytes: 0, refused: false },
            log_bytes_left: 0,
            time_limit: Duration::ZERO,
            stopwatch: Stopwatch::start(),
            metric_names,
        }
    }

    /// What is left of the running call's time; `None` when it is used up.
    pub(crate) fn time_left(&self) -> Option<Duration> {
        self.stopwatch.left(self.time_limit)
    }

    /// A credential that the adapter has declared.
    fn secret(&self, name: &str) -> Option<&str> {
        let declared = self.descriptor.as_ref()?.credentials.iter().any(|field| field.name == name);
        self.access.as_ref().filter(|_| declared)?.secrets.get(name)
    }

    fn is_public(&self, name: &str) -> bool {
        let fields = self.descriptor.iter().flat_map(|descriptor| &descriptor.credentials);
        fields.into_iter().any(|field| field.public && field.name == name)
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        _now: usize,
        wanted: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let allowed = wanted <= self.max_bytes;
        self.refused |= !allowed;
        if allowed {
            self.size_bytes = wanted;
        }
        Ok(allowed)
    }

    fn table_growing(
        &mut self,
        _now: usize,
        wanted: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(wanted <= TABLE_ELEMENTS_MAX)
    }
}

impl Host for GuestState {
    fn log(&mut self, level: LogLevel, message: String) -> wasmtime::Result<()> {
        let Some(left) = self.log_bytes_left.checked_sub(message.len().max(LOG_LINE_BYTES_MIN)) else {
            self.log_bytes_left = 0;
            return Ok(());
        };
        self.log_bytes_left = left;
        let line = masking::masked(&message);
        let connection =
            self.access.as_ref().map(|access| access.connection.id.to_string()).unwrap_or_default();
        let (adapter, connection) = (&*self.adapter, connection.as_str());
        match level {
            LogLevel::Debug => {
                tracing::debug!(
                    adapter.name = adapter,
                    provider.connection = connection,
                    adapter.line = line,
                    "adapter says"
                );
            }
            LogLevel::Info => {
                tracing::info!(
                    adapter.name = adapter,
                    provider.connection = connection,
                    adapter.line = line,
                    "adapter says"
                );
            }
            LogLevel::Warn => {
                tracing::warn!(
                    adapter.name = adapter,
                    provider.connection = connection,
                    adapter.line = line,
                    "adapter says"
                );
            }
        }
        Ok(())
    }

    fn emit_metric(&mut self, name: String, value: u64) -> wasmtime::Result<()> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        let short = (1..=METRIC_CHARS_MAX).contains(&name.len());
        // Nobody's call (`describe`) is not worth counting, and must not use up names.
        if self.access.is_none() || !short || !name.bytes().all(plain) || !self.metric_names.admit(&name) {
            return Ok(());
        }
        metrics::counter!(metric::ADAPTER_EVENTS_TOTAL, label::PROVIDER => self.adapter.to_string(), label::EVENT => name)
            .increment(value);
        Ok(())
    }

    fn get_config(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let Some(access) = &self.access else { return Ok(None) };
        Ok(match access.connection.config.get(&name) {
            Some(Value::String(text)) => Some(text.clone()),
            Some(Value::Null) => None,
            Some(other) => Some(other.to_string()),
            None if self.is_public(&name) => access.secrets.get(&name).map(str::to_owned),
            None => None,
        })
    }

    fn has_credential(&mut self, name: String) -> wasmtime::Result<bool> {
        Ok(self.secret(&name).is_some_and(|secret| !secret.is_empty()))
    }

    fn hmac(&mut self, algorithm: Hash, secret_name: String, data: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
        let secret = self.secret(&secret_name).filter(|secret| !secret.is_empty());
        Ok(secret.map(|secret| crypto::hmac(algorithm, secret.as_bytes(), &data)).unwrap_or_default())
    }

    fn digest_with_secret(
        &mut self,
        algorithm: Hash,
        secret_name: String,
        data: Vec<u8>,
    ) -> wasmtime::Result<Vec<u8>> {
        let secret = self.secret(&secret_name).filter(|secret| !secret.is_empty());
        Ok(secret.map(|secret| crypto::digest(algorithm, &[&data, secret.as_bytes()])).unwrap_or_default())
    }

    fn secret_equals(&mut self, secret_name: String, value: String) -> wasmtime::Result<bool> {
        let secret = self.secret(&secret_name).filter(|secret| !secret.is_empty());
        Ok(secret.is_some_and(|secret| crypto::equal(secret.as_bytes(), value.as_bytes())))
    }

    fn verify_rsa(
        &mut self,
        algorithm: RsaHash,
        certificate_pem: String,
        data: Vec<u8>,
        signature: Vec<u8>,
    ) -> wasmtime::Result<bool> {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_s = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Ok(crypto::verify_rsa(algorithm, &certificate_pem, now_s, &data, &signature))
    }

    fn sha256(&mut self, data: Vec<u8>) -> wasmtime::Result<Vec<u8>> {
        Ok(crypto::sha256(&data).to_vec())
    }
}
