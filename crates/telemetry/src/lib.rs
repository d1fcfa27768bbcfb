//! Tracing, OpenTelemetry export, metric names and redaction.
