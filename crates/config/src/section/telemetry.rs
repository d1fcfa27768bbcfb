//! `[telemetry]`: logs and traces.

use url::Url;

use crate::reader::Reader;

/// Logs and traces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telemetry {
    /// A filter as `tracing-subscriber` reads it.
    pub log: String,
    /// How log lines look.
    pub log_format: LogFormat,
    /// The OTLP/HTTP collector's base address; `None` means that traces are not sent.
    pub otlp_endpoint: Option<Url>,
    /// Our name in traces.
    pub service_name: String,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

impl Telemetry {
    pub(crate) fn read(reader: &mut Reader) -> Self {
        let formats = [("text", LogFormat::Text), ("json", LogFormat::Json)];
        Self {
            log: reader.text("telemetry.log"),
            log_format: reader.choice("telemetry.log_format", &formats),
            otlp_endpoint: reader.optional_http_url("telemetry.otlp_endpoint"),
            service_name: reader.text("telemetry.service_name"),
        }
    }
}
