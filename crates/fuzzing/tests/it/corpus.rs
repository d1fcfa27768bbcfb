//! Every input of `fuzz/corpus` through its target: seeds must reach what they are for, and what a fuzzer once found
//! must stay mended.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use hermes_fuzzing::{Bench, Finding, Target};
use hermes_wasm_host::HostOptions;

/// Guest time in tests, in milliseconds: the host's own part is unoptimised here and counts.
const GUEST_TIME_MS: u64 = 400;
/// Largest input that is committed; a fuzzer's own finds are minimised first.
const SEED_BYTES_MAX: usize = 4 << 10;

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz")
}

fn names(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

fn bench(target: Target) -> Bench {
    let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("adapter-code"));
    let options =
        HostOptions { cache_dir, guest_time_ms: GUEST_TIME_MS, instances_max: 4, ..HostOptions::default() };
    Bench::new(target, options).unwrap()
}

/// Replays a target's inputs; among what came of them must be each of `reached`.
fn replay(target: Target, reached: &[&str]) {
    let folder = fuzz().join("corpus").join(target.name());
    let inputs = names(&folder);
    assert!(!inputs.is_empty(), "{} is empty", folder.display());
    let bench = bench(target);
    let mut told = BTreeSet::new();
    for name in inputs {
        let input = fs::read(folder.join(&name)).unwrap();
        assert!(input.len() <= SEED_BYTES_MAX, "{name} has {} bytes", input.len());
        match bench.run(&input) {
            Ok(words) => told.extend(words),
            Err(finding) => panic!("{name}: {finding}: {finding:?}"),
        }
    }
    for word in reached {
        assert!(told.iter().any(|told| told.starts_with(word)), "nothing reaches {word:?}: {told:#?}");
    }
}

#[test]
fn every_target_has_a_binary_and_a_corpus() {
    let targets: BTreeSet<String> = Target::ALL.iter().map(|target| target.name()).collect();
    assert_eq!(names(&fuzz().join("corpus")), targets);
    let sources = targets.iter().map(|name| format!("{name}.rs")).collect();
    assert_eq!(names(&fuzz().join("fuzz_targets")), sources);
    let manifest = fs::read_to_string(fuzz().join("Cargo.toml")).unwrap();
    for name in targets {
        assert!(
            manifest.contains(&format!("\nname = \"{name}\"\n")),
            "{name} is no binary of fuzz/Cargo.toml"
        );
    }
}

#[test]
fn receipts_of_twilio_are_replayed() {
    let reached =
        ["unsigned: bad-signature", "signed: delivered", "signed: undelivered", "signed: inbound OptOut"];
    replay(Target::Receipts("twilio"), &reached);
}

#[test]
fn receipts_of_vonage_are_replayed() {
    let reached = ["unsigned: bad-signature", "unsigned: send-again", "signed: delivered", "signed: inbound"];
    replay(Target::Receipts("vonage"), &reached);
}

#[test]
fn receipts_of_messente_are_replayed() {
    let reached = [
        "unsigned: bad-signature",
        "signed: delivered",
        "signed: failed",
        "signed: inbound",
        // The only entry has an id beyond the limit: it is left out, and the rest of a callback would be taken.
        "signed: taken, 0 entries",
    ];
    replay(Target::Receipts("messente"), &reached);
}

#[test]
fn receipts_of_ses_are_replayed() {
    let reached = ["unsigned: bad-signature", "signed: delivered", "signed: undelivered", "signed: inbound"];
    replay(Target::Receipts("ses"), &reached);
}

#[test]
fn receipts_of_fcm_are_replayed() {
    replay(Target::Receipts("fcm"), &["unsigned: bad-signature"]);
}

#[test]
fn receipts_of_whatsapp_are_replayed() {
    let reached = [
        "unsigned: bad-signature",
        "signed: read",
        "signed: undelivered",
        "signed: inbound",
        "signed: replies",
    ];
    replay(Target::Receipts("whatsapp"), &reached);
}

#[test]
fn answers_to_every_adapter_are_replayed() {
    let reached = [
        "fcm send: accepted",
        "messente send: accepted",
        "messente lookup: accepted",
        "ses send: accepted",
        "twilio send: accepted",
        "twilio lookup: accepted",
        "vonage send: accepted",
        "vonage-sms send: accepted",
        "whatsapp send: accepted",
    ];
    replay(Target::Answers, &reached);
}

#[test]
fn components_are_replayed() {
    replay(
        Target::HostBoundary,
        &["installed", "no component", "bad descriptor", "forbidden import", "smoke"],
    );
}

/// Otherwise a target that compares nothing would pass, too.
#[test]
fn a_webhook_that_is_taken_as_it_is_is_found() {
    let bench = bench(Target::Receipts("whatsapp"));
    let webhook = |token: &str| format!("GET /r?hub.mode=subscribe&hub.challenge=1&hub.verify_token={token}");
    assert!(bench.run(webhook("wrong").as_bytes()).is_ok());
    let forged = Finding::Forged { adapter: "whatsapp".to_owned() };
    assert_eq!(bench.run(webhook("hermes-verify").as_bytes()), Err(forged));
}
