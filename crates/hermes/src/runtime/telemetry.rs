//! Logs, traces and metrics, as configured.

use anyhow::Context as _;
use hermes_config::Config;
use hermes_telemetry::{Guard, LogFormat, Options, Otlp};

/// Starts logging (on standard error) and, where configured, the export of traces.
///
/// # Errors
/// When the filter is malformed or the exporter cannot be set up.
pub(crate) fn start_telemetry(config: &Config) -> anyhow::Result<Guard> {
    let telemetry = &config.telemetry;
    let options = Options {
        filter: telemetry.log.clone(),
        format: match telemetry.log_format {
            hermes_config::LogFormat::Text => LogFormat::Text,
            hermes_config::LogFormat::Json => LogFormat::Json,
        },
        otlp: telemetry.otlp_endpoint.as_ref().map(|endpoint| Otlp {
            endpoint: endpoint.to_string(),
            service_name: telemetry.service_name.clone(),
            service_version: env!("CARGO_PKG_VERSION").to_owned(),
        }),
    };
    hermes_telemetry::init(&options).context("could not start logging and tracing")
}
