//! Everything that is wrong is said at once.

use std::path::Path;

use hermes_config::{Config, Problems};

use crate::{file_with, load, variables};

/// Each problem as `key: text`.
fn listed(problems: &Problems) -> Vec<String> {
    problems.all().iter().map(|one| format!("{}: {}", one.key, one.problem)).collect()
}

#[test]
fn all_problems_of_all_layers_are_reported_together() {
    let file = file_with(
        "nonsense = 1\n\
         egress = { timeout_s = 0, connect_timeot_s = 1 }\n\
         [server]\n\
         listen = 8080\n\
         [store]\n\
         kind = \"oracle\"\n\
         [admission]\n\
         otp_max = 0\n",
    );
    let env = [
        ("HERMES__SERVER__DRAIN_TIMEOUT_S", "soon"),
        ("HERMES__WASM__ROUNDS_MAX", "400"),
        ("HERMES__WASM__COLOUR", "red"),
    ];
    let problems = Config::load(Some(file.path()), variables(&env)).unwrap_err();
    let path = file.path().display();
    assert_eq!(
        problems.to_string(),
        format!(
            "the configuration has 9 problems:\n  \
             egress.connect_timeot_s: unknown key; did you mean egress.connect_timeout_s? (file {path})\n  \
             nonsense: unknown key (file {path})\n  \
             wasm.colour: unknown key (environment variable HERMES__WASM__COLOUR)\n  \
             server.listen: expected a text, found a whole number (file {path})\n  \
             server.drain_timeout_s: expected a whole number (environment variable HERMES__SERVER__DRAIN_TIMEOUT_S)\n  \
             store.kind: expected one of \"embedded\", \"nats\" (file {path})\n  \
             admission.otp_max: 0 is out of range, expected 1 to 10000000 (file {path})\n  \
             egress.timeout_s: 0 is out of range, expected 1 to 300 (file {path})\n  \
             wasm.rounds_max: 400 is out of range, expected 1 to 16 (environment variable HERMES__WASM__ROUNDS_MAX)"
        )
    );
}

#[test]
fn a_file_that_is_missing_is_a_problem_beside_others() {
    let env = variables(&[("HERMES__SERVER__LISTEN", "here")]);
    let problems = Config::load(Some(Path::new("/nowhere/hermes.toml")), env).unwrap_err();
    let listed = listed(&problems);
    assert!(listed[0].starts_with(": cannot be read"), "{listed:?}");
    assert!(listed[1].starts_with("server.listen: expected an address"), "{listed:?}");
}

#[test]
fn a_syntax_error_names_its_line_and_quotes_nothing() {
    let problems = load("[server]\n\n[secrets]\nhash_key = hunter2\n", &[]).unwrap_err();
    let text = problems.to_string();
    assert!(text.contains("is not TOML") && text.contains("line 4"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
}

#[test]
fn a_value_in_place_of_a_section_and_the_reverse() {
    let problems = load("server = 1\n[store.kind]\na = 1\nb = 2\n", &[]).unwrap_err();
    assert_eq!(
        listed(&problems),
        ["server: expected a section, found a whole number", "store.kind: expected a value, found a section"]
    );
}

#[test]
fn a_store_on_nats_needs_its_address_and_enough_copies() {
    let problems = load("[store]\nkind = \"nats\"\nnats.replicas = 1\n", &[]).unwrap_err();
    assert_eq!(
        listed(&problems),
        [
            "store.nats.url: must be set when store.kind is \"nats\"",
            "store.nats.replicas: fewer than 3 copies can lose acknowledged messages with one server; set \
             store.allow_unsafe_durability to start all the same"
        ]
    );
    let text = "[store]\nkind = \"nats\"\nallow_unsafe_durability = true\nnats = { url = \"http://x\", replicas = 1 }\n";
    assert_eq!(
        listed(&load(text, &[]).unwrap_err()),
        ["store.nats.url: expected a URL that starts with nats://"]
    );
}

#[test]
fn bad_keys_are_refused_without_being_shown() {
    let env = [
        ("HERMES__SECRETS__CREDENTIALS_KEY", "hunter2!"),
        ("HERMES__SECRETS__HASH_KEY", "aHVudGVyMg=="),
        ("HERMES__BOOTSTRAP__OPERATOR_KEY", "hunter2"),
        ("HERMES__SERVER__PUBLIC_URL", "https://u:hunter2@example.com"),
        ("HERMES__SIMULATOR__URL", "ftp://hunter2"),
    ];
    let problems = load("", &env).unwrap_err();
    assert_eq!(
        listed(&problems),
        [
            "server.public_url: must not contain credentials",
            "simulator.url: expected an http:// or https:// URL",
            "secrets.credentials_key: is not base64",
            "secrets.hash_key: expected 32 bytes, found 7",
            "bootstrap.operator_key: expected \"hak_\" and at least 16 characters"
        ]
    );
    assert!(!problems.to_string().contains("hunter2"));
}

#[test]
fn a_key_given_twice_is_refused() {
    let env = [("HERMES__SECRETS__HASH_KEY", "AAAA"), ("HERMES__SECRETS__HASH_KEY_FILE", "/nowhere")];
    assert_eq!(
        listed(&load("", &env).unwrap_err()),
        ["secrets.hash_key_file: must not be set together with secrets.hash_key"]
    );
    let problems = load("", &env[1..]).unwrap_err();
    assert!(problems.all()[0].problem.starts_with("the file cannot be read"), "{problems}");
}

#[test]
fn networks_and_timeouts_must_make_sense() {
    let file = "[egress]\nallow_private = [\"everything\"]\nconnect_timeout_s = 20\n";
    assert_eq!(
        listed(&load(file, &[]).unwrap_err()),
        [
            "egress.allow_private: expected CIDR blocks such as \"10.0.0.0/8\", or \"loopback\"",
            "egress.connect_timeout_s: must not be longer than egress.timeout_s"
        ]
    );
}
