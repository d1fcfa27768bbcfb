//! Sets up logging and the export of traces, once per process.

use std::fmt;
use std::io::IsTerminal;

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Subscriber;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::otlp;

/// Dependencies that write requests, headers or keys at `debug` and `trace`. They log from `info` upwards,
/// whatever the filter says.
const CAPPED: [&str; 10] = [
    "aws_sigv4",
    "aws_credential_types",
    "h2",
    "hyper",
    "hyper_util",
    "opentelemetry",
    "reqwest",
    "rustls",
    "sqlx",
    "async_nats",
];

/// What to log and where to send traces.
#[derive(Debug, Clone)]
pub struct Options {
    /// A filter such as `info,hermes_wasm_host=debug`. It holds for logs and for traces.
    pub filter: String,
    /// How log lines look.
    pub format: LogFormat,
    /// Where traces are sent; `None` means nowhere.
    pub otlp: Option<Otlp>,
}

/// How log lines look. Either way they go to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people; coloured on a terminal.
    Text,
    /// One JSON object a line.
    Json,
}

/// A collector of traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Otlp {
    /// The collector's base address, such as `http://collector:4318`; `/v1/traces` is added.
    pub endpoint: String,
    /// Our name in traces.
    pub service_name: String,
    /// Our version in traces.
    pub service_version: String,
}

/// Why telemetry could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InitError {
    /// The filter is malformed.
    #[error("the log filter is malformed")]
    Filter(#[source] ParseError),
    /// The exporter could not be built, most likely because of its endpoint.
    #[error("the OTLP exporter could not be built")]
    Otlp(#[source] opentelemetry_otlp::ExporterBuildError),
    /// `init` was called before in this process.
    #[error("logging is set up already")]
    Again(#[source] TryInitError),
}

/// Keeps the export of traces going. Dropping it sends what is left, for at most 5 s, and blocks
/// meanwhile: drop it last.
#[must_use = "dropping the guard ends the export of traces"]
pub struct Guard {
    provider: Option<SdkTracerProvider>,
}

/// Sets up logging to standard error and, if asked for, the export of traces.
///
/// Installs `ring` as the process's TLS provider unless there is one. Needs no runtime: the
/// exporter has a thread of its own.
///
/// # Errors
/// [`InitError`]; nothing is set up then.
pub fn init(options: &Options) -> Result<Guard, InitError> {
    let mut filter = EnvFilter::try_new(&options.filter).map_err(InitError::Filter)?;
    for target in CAPPED {
        filter = filter.add_directive(format!("{target}=info").parse().map_err(InitError::Filter)?);
    }
    let provider = options.otlp.as_ref().map(otlp::provider).transpose();
    let provider = provider.map_err(InitError::Otlp)?;
    let traces = provider.as_ref().map(|provider| {
        // Source locations and thread names would double the size of a span for nothing here.
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("hermes"))
            .with_location(false)
            .with_threads(false)
            .with_tracked_inactivity(false)
    });
    let subscriber = Registry::default().with(filter).with(traces).with(log_layer(options.format));
    subscriber.try_init().map_err(InitError::Again)?;
    Ok(Guard { provider })
}

fn log_layer<S>(format: LogFormat) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    match format {
        LogFormat::Text => layer.with_ansi(std::io::stderr().is_terminal()).boxed(),
        LogFormat::Json => layer.json().flatten_event(true).with_span_list(false).boxed(),
    }
}

impl Guard {
    /// Sends the spans that have ended so far. Blocks; for tests and before an abrupt exit.
    ///
    /// Returns whether they arrived; `true` when traces are not exported.
    #[must_use]
    pub fn flush(&self) -> bool {
        self.provider.as_ref().is_none_or(|provider| provider.force_flush().is_ok())
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(provider) = &self.provider {
            // The collector may be down; there is no one left to tell.
            let _ = provider.shutdown_with_timeout(otlp::SHUTDOWN_LIMIT);
        }
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("exports", &self.provider.is_some()).finish()
    }
}
