//! Collects metrics and renders them for Prometheus.
//!
//! Code records through the `metrics` facade with the names in [`crate::names`]; the HTTP API
//! serves what [`MetricsHandle::render`] returns.

use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use metrics_exporter_prometheus::{
    BuildError, Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder,
};

use crate::names::{self, metric};

/// How often recorded samples are folded into histograms when nobody scrapes.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// Seconds, for work inside the process: 0.5 ms to 10 s.
const SHORT_S: &[f64] =
    &[0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// Seconds, for waits on providers and phones: 50 ms to three days.
const LONG_S: &[f64] = &[
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3_600.0, 21_600.0, 86_400.0,
    259_200.0,
];

/// Items in a batch.
const COUNTS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1_024.0];

const BUCKETS: &[(&str, &[f64])] = &[
    (metric::ACCEPT_SECONDS, SHORT_S),
    (metric::HTTP_REQUEST_SECONDS, SHORT_S),
    (metric::ADAPTER_GUEST_SECONDS, SHORT_S),
    (metric::STORE_BATCH_SECONDS, SHORT_S),
    (metric::STORE_BATCH_SIZE, COUNTS),
    (metric::ATTEMPT_SECONDS, LONG_S),
    (metric::END_TO_END_SECONDS, LONG_S),
];

/// Why metrics could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// A recorder was installed before in this process.
    #[error("metrics are set up already")]
    Again(#[source] metrics::SetRecorderError<PrometheusRecorder>),
    /// The thread that does the upkeep could not be started.
    #[error("the upkeep thread could not be started")]
    Thread(#[source] std::io::Error),
}

/// Renders the process's metrics. Cheap to clone.
#[derive(Clone)]
pub struct MetricsHandle {
    prometheus: PrometheusHandle,
    /// Ends the upkeep with the last clone.
    _upkeep: Arc<Sender<()>>,
}

/// Installs the process's metrics.
///
/// Starts a thread that folds samples every 5 s: otherwise a process that nobody scrapes would
/// keep each of them.
///
/// # Errors
/// [`InstallError`], most likely because it was called before.
pub fn install_metrics() -> Result<MetricsHandle, InstallError> {
    let recorder = recorder();
    let prometheus = recorder.handle();
    metrics::set_global_recorder(recorder).map_err(InstallError::Again)?;
    names::describe();
    let (stop, stopped) = channel();
    let upkept = prometheus.clone();
    std::thread::Builder::new()
        .name("metrics-upkeep".to_owned())
        .spawn(move || keep_up(&upkept, &stopped))
        .map_err(InstallError::Thread)?;
    Ok(MetricsHandle { prometheus, _upkeep: Arc::new(stop) })
}

impl MetricsHandle {
    /// All metrics in Prometheus' text format.
    #[must_use]
    pub fn render(&self) -> String {
        self.prometheus.render()
    }
}

impl fmt::Debug for MetricsHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsHandle").finish_non_exhaustive()
    }
}

fn recorder() -> PrometheusRecorder {
    BUCKETS
        .iter()
        .try_fold(PrometheusBuilder::new(), |builder, (name, buckets)| {
            builder.set_buckets_for_metric(Matcher::Full((*name).to_owned()), buckets)
        })
        .unwrap_or_else(|error: BuildError| unreachable!("no bucket list is empty: {error}"))
        .build_recorder()
}

fn keep_up(prometheus: &PrometheusHandle, stopped: &Receiver<()>) {
    while stopped.recv_timeout(UPKEEP_INTERVAL) == Err(RecvTimeoutError::Timeout) {
        prometheus.run_upkeep();
    }
}

#[cfg(test)]
mod tests {
    use metrics::{counter, gauge, histogram, with_local_recorder};

    use super::*;
    use crate::names::label;

    fn rendered(record: impl FnOnce()) -> String {
        let recorder = recorder();
        with_local_recorder(&recorder, || {
            names::describe();
            record();
        });
        recorder.handle().render()
    }

    #[test]
    fn counters_and_gauges_carry_their_labels() {
        let text = rendered(|| {
            counter!(metric::MESSAGES_TOTAL, label::STATUS => "delivered", label::CHANNEL => "sms")
                .increment(2);
            gauge!(metric::MAILBOX_DEPTH, label::KIND => "cascade").set(7.0);
        });
        assert!(text.contains("# TYPE hermes_messages_total counter"), "{text}");
        assert!(text.contains("# HELP hermes_messages_total "), "{text}");
        assert!(text.contains("hermes_messages_total{status=\"delivered\",channel=\"sms\"} 2"), "{text}");
        assert!(text.contains("hermes_mailbox_depth{kind=\"cascade\"} 7"), "{text}");
    }

    #[test]
    fn every_histogram_has_buckets() {
        let text = rendered(|| {
            for (name, _) in BUCKETS {
                histogram!(*name).record(0.3);
            }
        });
        for (name, buckets) in BUCKETS {
            let count = text.matches(&format!("{name}_bucket{{le=")).count();
            assert_eq!(count, buckets.len() + 1, "{name} in {text}");
        }
        assert!(text.contains("hermes_accept_seconds_bucket{le=\"0.25\"} 0"), "{text}");
        assert!(text.contains("hermes_accept_seconds_bucket{le=\"0.5\"} 1"), "{text}");
    }

    #[test]
    fn every_described_histogram_is_listed_with_its_buckets() {
        let listed: Vec<&str> = BUCKETS.iter().map(|(name, _)| *name).collect();
        for name in names::HISTOGRAMS {
            assert!(listed.contains(name), "{name} has no buckets");
        }
        assert_eq!(listed.len(), names::HISTOGRAMS.len());
    }
}
