//! `fuzz`: runs every target of `fuzz/` for a bounded time.
//!
//! New inputs are kept below `fuzz/target`, not in the committed corpus: what is worth keeping is minimised and
//! committed by hand.

use std::{
    collections::BTreeSet,
    fs,
    path::Path,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::root;

const USAGE: &str = "usage: cargo xtask fuzz [--seconds 1..60] [TARGET ...]";
/// For one target, unless told otherwise.
const SECONDS: u32 = 30;
const SECONDS_MAX: u32 = 60;
/// After this an input counts as one that hangs, in seconds.
const INPUT_SECONDS_MAX: u32 = 20;
/// Longest input that is made up, in bytes.
const INPUT_BYTES_MAX: u32 = 8 << 10;

/// What to run, and for how long each.
#[derive(Debug, PartialEq, Eq)]
struct Plan<'a> {
    seconds: u32,
    targets: Vec<&'a str>,
}

/// Runs the targets that are named, or all, and fails after all of them if one found something.
pub(crate) fn run(args: &[&str]) -> Result<()> {
    let root = root()?;
    let known = targets(&root)?;
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let plan = plan(args, &known)?;
    check_tools()?;
    let mut found = Vec::new();
    for target in &plan.targets {
        println!("== {target}, {} s", plan.seconds);
        if !fuzz(&root, target, plan.seconds)? {
            found.push(*target);
        }
    }
    println!("{} passed, {} failed", plan.targets.len() - found.len(), found.len());
    ensure!(found.is_empty(), "inputs in fuzz/artifacts break {}", found.join(", "));
    Ok(())
}

/// Every file of `fuzz/fuzz_targets` is one.
fn targets(root: &Path) -> Result<BTreeSet<String>> {
    let folder = root.join("fuzz/fuzz_targets");
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(&folder).with_context(|| format!("could not list {}", folder.display()))? {
        let name = entry?.file_name().into_string().ok().context("a target's name is not UTF-8")?;
        names.extend(name.strip_suffix(".rs").map(str::to_owned));
    }
    Ok(names)
}

fn plan<'a>(args: &[&'a str], known: &[&'a str]) -> Result<Plan<'a>> {
    let (seconds, wanted) = match args {
        ["--seconds", seconds, rest @ ..] => (seconds.parse().context(USAGE)?, rest),
        rest => (SECONDS, rest),
    };
    ensure!((1..=SECONDS_MAX).contains(&seconds), USAGE);
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(name)) {
        bail!("{unknown} is no target; there are {}\n{USAGE}", known.join(", "));
    }
    Ok(Plan { seconds, targets: if wanted.is_empty() { known.to_vec() } else { wanted.to_vec() } })
}

/// Nothing is skipped where a tool is missing: a run that did not happen must not look like one that passed.
fn check_tools() -> Result<()> {
    let works = |args: &[&str]| {
        let asked = Command::new("rustup").args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    ensure!(
        works(&["run", "nightly", "rustc", "--version"]),
        "fuzzing needs a nightly compiler: rustup toolchain install nightly --profile minimal"
    );
    ensure!(
        works(&["run", "nightly", "cargo", "fuzz", "--version"]),
        "fuzzing needs cargo-fuzz: cargo install cargo-fuzz --locked"
    );
    Ok(())
}

/// Whether a run ended without a finding.
fn fuzz(root: &Path, target: &str, seconds: u32) -> Result<bool> {
    let new = root.join("fuzz/target/corpus").join(target);
    fs::create_dir_all(&new).with_context(|| format!("could not make {}", new.display()))?;
    let mut run = Command::new("rustup");
    run.args(["run", "nightly", "cargo", "fuzz", "run", target]).arg(new);
    run.arg(root.join("fuzz/corpus").join(target)).arg("--");
    run.args([
        format!("-max_total_time={seconds}"),
        format!("-timeout={INPUT_SECONDS_MAX}"),
        format!("-max_len={INPUT_BYTES_MAX}"),
        "-print_final_stats=1".to_owned(),
    ]);
    let status = run.current_dir(root).status().context("could not run cargo-fuzz")?;
    Ok(status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_bounded_and_names_targets_that_exist() {
        let known = ["answers", "host_boundary"];
        let all = Plan { seconds: SECONDS, targets: known.to_vec() };
        assert_eq!(plan(&[], &known).unwrap(), all);
        let one = Plan { seconds: 60, targets: vec!["answers"] };
        assert_eq!(plan(&["--seconds", "60", "answers"], &known).unwrap(), one);
        for args in [&["--seconds", "61"] as &[&str], &["--seconds", "0"], &["--seconds"], &["receipts"]] {
            assert!(plan(args, &known).is_err(), "{args:?}");
        }
        assert!(targets(&root().unwrap()).unwrap().contains("host_boundary"));
    }
}
