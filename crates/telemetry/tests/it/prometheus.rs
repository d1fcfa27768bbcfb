//! Metrics of the whole process.

use hermes_telemetry::names::{label, metric};
use hermes_telemetry::{InstallError, install_metrics};
use metrics::counter;

#[test]
fn metrics_are_installed_once_and_rendered() {
    let handle = install_metrics().unwrap();
    counter!(metric::RECEIPTS_TOTAL, label::PROVIDER => "twilio", label::RESULT => "applied").increment(3);
    let text = handle.render();
    assert!(text.contains("hermes_receipts_total{provider=\"twilio\",result=\"applied\"} 3"), "{text}");
    assert!(matches!(install_metrics(), Err(InstallError::Again(_))));
}
