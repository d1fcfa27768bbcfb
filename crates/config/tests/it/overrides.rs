//! Files and variables replace defaults.

use std::time::Duration;

use hermes_config::{Config, LogFormat, StoreKind};

use crate::{file_with, load, variables};

/// 32 zero bytes.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

#[test]
fn the_environment_wins_over_the_file() {
    let file = "[server]\nlisten = \"0.0.0.0:1\"\ndrain_timeout_s = 5\n";
    let config = load(file, &[("HERMES__SERVER__LISTEN", "0.0.0.0:2")]).unwrap();
    assert_eq!(config.server.listen.port(), 2);
    assert_eq!(config.server.drain_timeout, Duration::from_secs(5));
    assert_eq!(config.server.request_timeout, Duration::from_secs(30));
}

#[test]
fn the_public_address_follows_the_listen_address() {
    let config = load("[server]\nlisten = \"[::1]:9000\"", &[]).unwrap();
    assert_eq!(config.server.public_url.as_str(), "http://[::1]:9000/");
    let env = [("HERMES__SERVER__PUBLIC_URL", "https://hermes.example/in")];
    let config = load("[server]\nlisten = \"[::1]:9000\"", &env).unwrap();
    assert_eq!(config.server.public_url.as_str(), "https://hermes.example/in");
}

#[test]
fn every_type_can_be_set_from_the_environment() {
    let config = Config::load(
        None,
        variables(&[
            ("HERMES__STORE__KIND", "nats"),
            ("HERMES__STORE__NATS__URL", "nats://a:4222"),
            ("HERMES__STORE__COMMIT_WINDOW_MS", "0"),
            ("HERMES__EGRESS__ALLOW_PRIVATE", "loopback, 10.0.0.0/8"),
            ("HERMES__EGRESS__ALLOW_HTTP", "true"),
            ("HERMES__EGRESS__RESPONSE_MAX_BYTES", "1 MiB"),
            ("HERMES__WEBHOOKS__RETRY_DELAYS_S", "1,2"),
            ("HERMES__TELEMETRY__LOG_FORMAT", "json"),
            ("HERMES__SECRETS__HASH_KEY", KEY),
            ("HERMES_TEST_NATS_URL", "not one of ours"),
            ("PATH", "/bin"),
        ]),
    )
    .unwrap();
    assert_eq!(config.store.kind, StoreKind::Nats);
    assert_eq!(config.store.nats.url.unwrap().expose(), "nats://a:4222");
    assert_eq!(config.store.commit_window, Duration::ZERO);
    let networks: Vec<String> = config.egress.allow_private.iter().map(ToString::to_string).collect();
    assert_eq!(networks, ["127.0.0.0/8", "::1/128", "10.0.0.0/8"]);
    assert!(config.egress.allow_http);
    assert_eq!(config.egress.response_max.bytes(), 1 << 20);
    assert_eq!(config.webhooks.retry_delays, [1, 2].map(Duration::from_secs));
    assert_eq!(config.telemetry.log_format, LogFormat::Json);
    assert_eq!(config.secrets.hash_key.unwrap().expose(), &[0; 32]);
}

#[test]
fn sizes_in_a_file_may_have_a_unit() {
    let config = load("[wasm]\nmemory_max_bytes = \"32 MiB\"\n", &[]).unwrap();
    assert_eq!(config.wasm.memory_max.bytes(), 32 << 20);
}

#[test]
fn an_empty_variable_unsets_and_empties() {
    let file = "[egress]\nallow_private = [\"loopback\"]\n[simulator]\nurl = \"http://sim\"\n";
    let env = [("HERMES__EGRESS__ALLOW_PRIVATE", ""), ("HERMES__SIMULATOR__URL", "")];
    let config = load(file, &env).unwrap();
    assert_eq!((config.egress.allow_private, config.simulator.url), (vec![], None));
}

#[test]
fn a_key_may_live_in_a_file_of_its_own() {
    let key = file_with(&format!("{KEY}\n"));
    let env = [("HERMES__SECRETS__CREDENTIALS_KEY_FILE", key.path().to_str().unwrap())];
    let config = load("", &env).unwrap();
    assert_eq!(config.secrets.credentials_key.unwrap().expose(), &[0; 32]);
}

#[test]
fn no_secret_is_shown() {
    let config = load(
        "",
        &[
            ("HERMES__SECRETS__CREDENTIALS_KEY", KEY),
            ("HERMES__BOOTSTRAP__OPERATOR_KEY", "hak_correct-horse-battery"),
            ("HERMES__STORE__NATS__URL", "nats://u:hunter2@nats-1"),
        ],
    )
    .unwrap();
    let shown = format!("{config:?}");
    for secret in [KEY, "horse", "hunter2", "[0, 0"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}
