//! Sends spans to a collector by OTLP over HTTP, in batches, from a thread of its own.
//!
//! The blocking client is on purpose: the batch processor's thread has no tokio reactor. Its
//! queue is bounded; when the collector is slow or away, spans are dropped and the messages are
//! not delayed.

use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;

use crate::init::Otlp;

/// How long the last batch may take.
pub(crate) const SHUTDOWN_LIMIT: Duration = Duration::from_secs(5);

/// Limit of one export.
const EXPORT_LIMIT: Duration = Duration::from_secs(5);

pub(crate) fn provider(otlp: &Otlp) -> Result<SdkTracerProvider, ExporterBuildError> {
    // The HTTP client panics without a process-wide provider; one that is there stays.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let exporter = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", otlp.endpoint.trim_end_matches('/')))
        .with_timeout(EXPORT_LIMIT)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(otlp.service_name.clone())
        .with_attribute(KeyValue::new("service.version", otlp.service_version.clone()))
        .build();
    Ok(SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build())
}
