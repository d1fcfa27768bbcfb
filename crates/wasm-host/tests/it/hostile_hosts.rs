//! A guest that names another host than its own makes a fault, not a request.
//!
//! The descriptor declares `api.hostile.example` and `*.cdn.hostile.example`. The egress decides again, on
//! the parsed URL and on addresses; its own tests are in its crate.

use hermes_ports::adapter::{AdapterFault, AdapterHost, AdapterStep};
use serde_json::{Value, json};

use crate::{
    hostile::{bad_with, host, the_good_one_works},
    support::sms,
};

fn asks_for(settings: Value) -> Result<String, AdapterFault> {
    match host().send(&bad_with("target", settings), &sms("hi"))? {
        AdapterStep::Request(request, _) => Ok(request.url),
        AdapterStep::Done(done) => panic!("{done:?}"),
    }
}

#[test]
fn foreign_hosts_are_refused_however_they_are_spelt() {
    for target in [
        "https://evil.example/",
        "https://evil.example/?api.hostile.example",
        "https://evil.example#api.hostile.example/",
        "https://api.hostile.example.evil.example/",
        "https://evilapi.hostile.example/",
        // User information, plain and encoded.
        "https://api.hostile.example@evil.example/",
        "https://api.hostile.example:443@evil.example/",
        "https://user:pw@api.hostile.example/",
        "https://api.hostile.example%40evil.example/",
        "https://api.hostile.example\\@evil.example/",
        "https:\\\\evil.example/",
        "https:///evil.example/",
        // The same name to a resolver, but not to an allow-list.
        "https://api.hostile.example./",
        "https://%61pi.hostile.example/",
        "https://api.hostile.example%00.evil.example/",
        // International names, as text and encoded: the first two letters are Cyrillic.
        "https://\u{430}\u{440}i.hostile.example/",
        "https://xn--i-7sbp.hostile.example/",
        "https://api.hostile\u{3002}example/",
        // Addresses in all notations.
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0177.0.0.1/",
        "http://127.1/",
        "http://[::1]/",
        "http://[::ffff:169.254.169.254]/",
        "http://localhost/",
        // Other ports and schemes.
        "https://api.hostile.example:22/",
        "https://api.hostile.example:80/",
        "http://api.hostile.example:443/",
        "https://api.hostile.example:/",
        "ftp://api.hostile.example/",
        "file:///etc/passwd",
        "//api.hostile.example/",
        // A star is exactly one label.
        "https://cdn.hostile.example/",
        "https://a.b.cdn.hostile.example/",
        "https://.cdn.hostile.example/",
        "https://evil.example/.cdn.hostile.example",
        "https://*.cdn.hostile.example/",
        // Line breaks.
        "https://api.hostile.example/\r\nHost: evil.example",
        "https://api.hostile.example\t.evil.example/",
        "",
    ] {
        let refused = asks_for(json!({ "target": target }));
        assert!(matches!(refused, Err(AdapterFault::Contract(_))), "{target}: {refused:?}");
    }
    the_good_one_works();
}

#[test]
fn declared_hosts_are_reached_in_any_case() {
    for target in [
        "https://api.hostile.example/x?y#z",
        "https://API.Hostile.example/",
        "https://api.hostile.example:443/",
        "https://a.cdn.hostile.example/",
        // Plain HTTP is the egress' decision: it is allowed in development.
        "http://api.hostile.example:80/",
    ] {
        assert_eq!(asks_for(json!({ "target": target })), Ok(target.to_owned()));
    }
}

#[test]
fn the_base_url_of_one_connection_is_foreign_to_another() {
    let target = "https://proxy.example/send";
    let proxied = json!({ "target": target, "base_url": "https://proxy.example/path" });
    assert_eq!(asks_for(proxied.clone()), Ok(target.to_owned()));
    // Calls of both run on the same instance.
    for other in [
        json!({ "target": target }),
        json!({ "target": target, "base_url": "https://other.example" }),
        json!({ "target": target, "base_url": "http://proxy.example" }),
        json!({ "target": target, "base_url": "https://proxy.example:8443" }),
        json!({ "target": target, "base_url": ["https://proxy.example"] }),
    ] {
        let refused = asks_for(other.clone());
        assert!(matches!(refused, Err(AdapterFault::Contract(_))), "{other}: {refused:?}");
    }
    assert_eq!(asks_for(proxied), Ok(target.to_owned()));
}
