//! What it says about itself, which has no connection to be told by: the host's tests overwrite
//! `DESCRIBE_AS` in the component's bytes.

use std::{
    hint::black_box,
    sync::atomic::{AtomicU32, Ordering},
};

use hermes_adapter_sdk::{
    contract::{Channel, Descriptor, Idempotency, Level},
    credential, optional_identifier, optional_setting, setting,
};

use crate::floods;

/// `describe-as:`, then a word, filled up with dots. The tests look for the first part.
static DESCRIBE_AS: [u8; 32] = *b"describe-as:honest..............";
/// How often it was asked.
static ASKED: AtomicU32 = AtomicU32::new(0);

fn honest() -> Descriptor {
    Descriptor {
        name: "hostile".to_owned(),
        version: "1.0.0".to_owned(),
        channels: vec![Channel::Sms],
        credentials: vec![
            credential("auth_token", "a secret"),
            optional_identifier("account_id", "no secret"),
        ],
        config: vec![
            setting("behaviour", "what to do wrong"),
            optional_setting("target", "where to go wrong"),
            optional_setting("series", "what to count"),
        ],
        hosts: vec!["api.hostile.example".to_owned(), "*.cdn.hostile.example".to_owned()],
        idempotency: Idempotency::None,
        confirms: vec![(Channel::Sms, Level::Delivered)],
        default_rate_per_s: 1,
        has_lookup: false,
        account_setting: None,
    }
}

pub(crate) fn descriptor() -> Descriptor {
    let marker = black_box(&DESCRIBE_AS);
    let word = str::from_utf8(marker).unwrap_or_default().trim_start_matches("describe-as:");
    let mut it = honest();
    match word.trim_end_matches('.') {
        "trap" => std::process::abort(),
        "loop" => floods::endless(),
        "recurse" => drop(black_box(floods::recurse(0))),
        "bomb" => floods::hoard(),
        "differs" => it.default_rate_per_s += ASKED.fetch_add(1, Ordering::Relaxed),
        "traps_later" if ASKED.fetch_add(1, Ordering::Relaxed) > 0 => std::process::abort(),
        "renamed" => it.name = "twilio".to_owned(),
        "bad_name" => it.name = "../hostile".to_owned(),
        "bad_version" => it.version = "latest".to_owned(),
        "no_channels" => it.channels.clear(),
        "no_hosts" => it.hosts.clear(),
        "many_hosts" => it.hosts = vec!["a.example".to_owned(); 100_000],
        "aliased_hosts" => it.hosts = floods::aliases(100),
        "public_secret" => it.credentials = vec![optional_identifier("client_secret", "shown")],
        "public_token" => it.credentials = vec![optional_identifier("token", "shown")],
        "bad_field" => it.config = vec![setting("Base-URL", "in capitals")],
        "repeated_field" => it.config = vec![setting("a", ""), setting("a", "")],
        "escape" => it.config = vec![setting("a", "\u{1b}[2Jgone")],
        "long_text" => {
            it.config.iter_mut().take(1).for_each(|field| field.description = "x".repeat(20 << 20))
        }
        "no_rate" => it.default_rate_per_s = 0,
        "high_rate" => it.default_rate_per_s = 10_001,
        "no_setting" => it.account_setting = Some("auth_token".to_owned()),
        host => it.hosts.extend(host_pattern(host).map(str::to_owned)),
    }
    it
}

/// Hosts that would let it call more than its provider.
fn host_pattern(word: &str) -> Option<&'static str> {
    Some(match word {
        "any_host" => "*",
        "any_com" => "*.com",
        "star_inside" => "api.*.example",
        "two_stars" => "*.*.example",
        "address" => "169.254.169.254",
        "short_address" => "127.1",
        "address_6" => "[::1]",
        "one_label" => "localhost",
        "capitals" => "API.hostile.example",
        "port" => "api.hostile.example:22",
        "user" => "user@api.hostile.example",
        "last_dot" => "api.hostile.example.",
        _ => return None,
    })
}
