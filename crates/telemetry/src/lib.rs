//! Logs, traces and metrics, and what must never be in them.
//!
//! - [`init`] sets up logging and, where configured, the export of traces by OTLP over HTTP;
//! - [`install_metrics`] collects metrics and renders them for Prometheus;
//! - [`names`] is the one list of metric, label and field names;
//! - [`trace_context`] carries a trace across everything that is stored, as W3C `traceparent`;
//! - [`redact`] shows that a value exists without showing it.

mod init;
pub mod metrics;
pub mod names;
mod otlp;
pub mod redact;
pub mod trace_context;

pub use init::{Guard, InitError, LogFormat, Options, Otlp, init};
pub use metrics::{InstallError, MetricsHandle, install_metrics};
pub use redact::{Redacted, redact_email, redact_phone};
pub use trace_context::{InvalidTraceparent, TraceContext, continued};
