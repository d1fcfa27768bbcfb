//! The documented defaults are the defaults.

use std::time::Duration;

use hermes_config::{ByteSize, Config, DEFAULTS, LogFormat, StoreKind};

use crate::load;

fn defaults() -> Config {
    Config::load(None, []).unwrap()
}

#[test]
fn the_shipped_file_used_as_a_file_changes_nothing() {
    assert_eq!(load(DEFAULTS, &[]).unwrap(), defaults());
}

#[test]
fn an_empty_file_changes_nothing() {
    assert_eq!(load("", &[]).unwrap(), defaults());
}

#[test]
fn the_defaults_are_what_the_manual_promises() {
    let config = defaults();
    let seconds = Duration::from_secs;
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.public_url.as_str(), "http://127.0.0.1:8080/");
    assert_eq!(config.server.drain_timeout, seconds(30));
    assert_eq!(config.store.kind, StoreKind::Embedded);
    assert_eq!(config.store.commit_window, Duration::from_millis(2));
    assert!(!config.store.allow_unsafe_durability);
    assert_eq!(config.store.nats.buckets.get(), 16);
    assert_eq!(config.cascade.passivate_after, seconds(10));
    assert_eq!(config.cascade.default_expiry, seconds(72 * 3_600));
    assert_eq!(config.cascade.step_timeout.email, seconds(900));
    assert_eq!(config.egress.response_max, ByteSize::from_bytes(262_144));
    assert!(config.egress.allow_private.is_empty());
    assert_eq!(config.wasm.memory_max.to_string(), "64 MiB");
    assert_eq!(config.webhooks.retry_delays.len(), 9);
    assert_eq!(config.telemetry.log_format, LogFormat::Text);
    assert_eq!(config.secrets.credentials_key, None);
    assert_eq!(config.bootstrap.operator_key, None);
}
