//! What an adapter writes beside its answers: log lines and metrics, as the host passes them on.

use std::sync::Arc;
use std::{
    fmt::{self, Write as _},
    sync::{Mutex, PoisonError},
};

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tracing::{
    Dispatch, Event, Subscriber, dispatcher,
    field::{Field, Visit},
    span,
};

/// Collects on the thread that runs [`Capture::within`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Capture {
    lines: Arc<Mutex<Vec<String>>>,
}

impl Capture {
    /// Runs `work` with everything collected that this thread logs and counts.
    pub(crate) fn within<T>(&self, work: impl FnOnce() -> T) -> T {
        let dispatch = Dispatch::new(Lines(self.clone()));
        dispatcher::with_default(&dispatch, || metrics::with_local_recorder(&Names(self.clone()), work))
    }

    /// What was collected since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.lines.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, line: String) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

/// Log lines.
struct Lines(Capture);

impl Subscriber for Lines {
    fn enabled(&self, _metadata: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut line = Line(String::new());
        event.record(&mut line);
        self.0.push(line.0);
    }

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// The fields of one event.
struct Line(String);

impl Visit for Line {
    fn record_str(&mut self, field: &Field, value: &str) {
        let _ = write!(self.0, "{}={value} ", field.name()); // Writing to memory cannot fail.
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = write!(self.0, "{}={value:?} ", field.name()); // As above.
    }
}

/// Names and labels of metrics.
struct Names(Capture);

impl Recorder for Names {
    fn describe_counter(&self, _key: KeyName, _unit: Option<Unit>, _description: SharedString) {}

    fn describe_gauge(&self, _key: KeyName, _unit: Option<Unit>, _description: SharedString) {}

    fn describe_histogram(&self, _key: KeyName, _unit: Option<Unit>, _description: SharedString) {}

    fn register_counter(&self, key: &Key, _metadata: &Metadata<'_>) -> Counter {
        self.0.push(key.to_string());
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _metadata: &Metadata<'_>) -> Gauge {
        self.0.push(key.to_string());
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _metadata: &Metadata<'_>) -> Histogram {
        self.0.push(key.to_string());
        Histogram::noop()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_metrics_of_the_work_are_collected_and_no_others() {
        let capture = Capture::default();
        tracing::warn!("before");
        let sum = capture.within(|| {
            tracing::info!(adapter.line = "says this", count = 7, "adapter says");
            metrics::counter!("adapter_events", "event" => "odd_status").increment(2);
            40 + 2
        });
        let lines = capture.take();
        assert_eq!((sum, lines.len()), (42, 2), "{lines:?}");
        assert!(lines[0].contains("adapter.line=says this") && lines[0].contains("count=7"), "{lines:?}");
        assert!(lines[1].contains("odd_status"), "{lines:?}");
        assert!(capture.take().is_empty());
    }
}
