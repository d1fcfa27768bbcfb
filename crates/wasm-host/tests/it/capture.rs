//! What leaves the host beside its answers: log lines and counters of the calling thread.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, with_local_recorder,
};
use tracing::{Event, Subscriber, field::Field, span, subscriber::with_default};

/// What was captured.
#[derive(Debug, Default)]
pub(crate) struct Captured {
    /// Events with all fields, in order.
    pub(crate) events: Vec<String>,
    /// Each time series once: its name and labels.
    pub(crate) series: BTreeSet<String>,
}

impl Captured {
    /// Lines that a guest wrote.
    pub(crate) fn lines(&self) -> Vec<&String> {
        self.events.iter().filter(|event| event.contains("adapter says")).collect()
    }

    /// Time series that a guest made.
    pub(crate) fn counters(&self) -> Vec<&String> {
        self.series.iter().filter(|series| series.contains("hermes_adapter_events_total")).collect()
    }
}

/// Adds the guest's lines to `lines` as they are written: how a test learns that a guest is running.
pub(crate) fn counting_lines<T>(lines: &Arc<AtomicUsize>, run: impl FnOnce() -> T) -> T {
    with_default(Capture { lines: Arc::clone(lines), ..Capture::default() }, run)
}

#[derive(Clone, Default)]
struct Capture {
    captured: Arc<Mutex<Captured>>,
    lines: Arc<AtomicUsize>,
}

/// Runs `run` and gives back its result with what it logged and counted.
pub(crate) fn captured<T>(run: impl FnOnce() -> T) -> (T, Captured) {
    let capture = Capture::default();
    let result = with_default(capture.clone(), || with_local_recorder(&capture, run));
    let captured = std::mem::take(&mut *capture.captured.lock().unwrap());
    (result, captured)
}

struct Text<'a>(&'a mut String);

impl tracing::field::Visit for Text<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Capture {
    fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = String::new();
        event.record(&mut Text(&mut text));
        self.lines.fetch_add(usize::from(text.contains("adapter says")), Ordering::SeqCst);
        self.captured.lock().unwrap().events.push(text);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

impl Recorder for Capture {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        self.captured.lock().unwrap().series.insert(format!("{key:?}"));
        Counter::noop()
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        self.captured.lock().unwrap().series.insert(format!("{key:?}"));
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        self.captured.lock().unwrap().series.insert(format!("{key:?}"));
        Histogram::noop()
    }
}
