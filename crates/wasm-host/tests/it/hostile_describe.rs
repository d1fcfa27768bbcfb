//! A component whose description is wrong never gets in, and what was active stays.
//!
//! `describe` has no connection to be told by: the word behind `describe-as:` in the component's data is
//! overwritten instead.

use std::time::Instant;

use hermes_ports::adapter::{AdapterHost, AdapterRejected};

use crate::{
    hostile::{HOSTILE, LONG, bad, fresh_host},
    support::{options, sms},
};

/// The component, described as `word` says.
fn described_as(word: &str) -> Vec<u8> {
    let marker = b"describe-as:honest..............";
    let at = HOSTILE.windows(marker.len()).position(|bytes| bytes == marker).unwrap();
    let mut component = HOSTILE.to_vec();
    let text = format!("{:.<32}", format!("describe-as:{word}"));
    component[at..at + marker.len()].copy_from_slice(text.as_bytes());
    component
}

/// Asserts that each word is refused for its reason, in time, and that nothing else changes.
fn refused(cases: &[(&str, &str)]) {
    let host = fresh_host(options());
    let before = host.list();
    for (word, reason) in cases {
        let started = Instant::now();
        let rejected = host.install("hostile", &described_as(word)).expect_err(word);
        assert!(started.elapsed() < LONG, "{word}");
        let kind = matches!(rejected, AdapterRejected::BadDescriptor(_) | AdapterRejected::Smoke(_));
        assert!(kind && rejected.to_string().contains(reason), "{word}: {rejected}");
        assert_eq!(host.list(), before, "{word}");
        host.send(&bad("nothing"), &sms("hi")).expect(word);
    }
}

#[test]
fn the_word_alone_changes_nothing() {
    let host = fresh_host(options());
    let info = host.install("hostile", &described_as("otherwise")).unwrap();
    assert!(!info.active && host.list().len() == 2);
}

#[test]
fn describing_is_bounded_like_any_call() {
    refused(&[
        ("trap", "describe: the adapter trapped"),
        ("traps_later", "describe: the adapter trapped"),
        ("loop", "describe: the adapter ran longer than 400 ms"),
        ("recurse", "call stack exhausted"),
        ("bomb", "describe: the adapter asked for more than 67108864 bytes"),
        ("long_text", "fuel allocated for hostcalls has been exhausted"),
        ("aliased_hosts", "fuel allocated for hostcalls has been exhausted"),
    ]);
}

#[test]
fn what_it_says_must_be_well_formed_and_stay_the_same() {
    refused(&[
        ("differs", "it describes itself differently when asked again"),
        ("renamed", "it has another name than it is installed under"),
        ("bad_name", "its name is not a lower-case word"),
        ("bad_version", "its version is not MAJOR.MINOR.PATCH"),
        ("no_channels", "it must carry one to four channels"),
        ("bad_field", "a credential or setting is malformed or repeated"),
        ("repeated_field", "a credential or setting is malformed or repeated"),
        ("escape", "a credential or setting is malformed or repeated"),
        ("public_secret", "it marks a secret as public"),
        ("public_token", "it marks a secret as public"),
        ("no_rate", "its rate is not in 1 to 10000"),
        ("high_rate", "its rate is not in 1 to 10000"),
        ("no_setting", "its account setting is no setting"),
    ]);
}

#[test]
fn hosts_are_few_and_plain() {
    refused(&[("no_hosts", "it must call 1 to 128 hosts"), ("many_hosts", "it must call 1 to 128 hosts")]);
    let words = [
        "any_host",
        "any_com",
        "star_inside",
        "two_stars",
        "address",
        "short_address",
        "address_6",
        "one_label",
        "capitals",
        "port",
        "user",
        "last_dot",
    ];
    refused(&words.map(|word| (word, "a host is not a plain host name")));
}
