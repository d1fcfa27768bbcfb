//! `test`: starts private services, runs every test, stops the services, and says how many passed.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{BufRead as _, BufReader},
    ops::AddAssign,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

use crate::{cargo, root, services};

/// The runner that is fetched where none is installed.
const NEXTEST: &str = "cargo-nextest@0.9.143";
/// Set by people who run a server of their own; then none is started.
const OWN_NATS: &str = "HERMES_TEST_NATS_URL";

/// How many tests ended how.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
struct Counts {
    passed: u64,
    failed: u64,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs the tests of the whole workspace; `filter` goes to nextest, and leaves out the doc tests.
///
/// The last line printed is `N passed, N failed`.
pub(crate) fn run(filter: &[&str]) -> Result<()> {
    let root = root()?;
    let runner = nextest(&root)?;
    let services = Services::start(&root)?;
    let mut counts = Counts::default();
    let mut tests = Command::new(runner);
    tests.args(["nextest", "run", "--workspace", "--profile", "ci"]).args(filter);
    counts += counted(tests.current_dir(&root).envs(&services.variables), Stream::Error, nextest_counts)?;
    if filter.is_empty() {
        let mut docs = cargo();
        docs.args(["test", "--workspace", "--doc", "--no-fail-fast", "--quiet"]);
        counts += counted(docs.current_dir(&root).envs(&services.variables), Stream::Output, doc_counts)?;
    }
    services.stop()?;
    println!("{} passed, {} failed", counts.passed, counts.failed);
    ensure!(counts.failed == 0, "{} tests failed", counts.failed);
    ensure!(counts.passed > 0, "no test ran");
    Ok(())
}

/// The nextest that is installed, else one of our own below `target`.
fn nextest(root: &Path) -> Result<PathBuf> {
    let works = |program: &Path| {
        let asked = Command::new(program).args(["nextest", "--version"]).stdout(Stdio::null()).status();
        asked.is_ok_and(|status| status.success())
    };
    let installed = PathBuf::from("cargo-nextest");
    if works(&installed) {
        return Ok(installed);
    }
    let tools = root.join("target/tools");
    let own = tools.join("bin/cargo-nextest");
    if !works(&own) {
        println!("cargo-nextest is missing: building {NEXTEST} into target/tools, once");
        let status =
            cargo().args(["install", "--locked", "--quiet", "--root"]).arg(&tools).arg(NEXTEST).status();
        ensure!(status.context("could not run cargo")?.success(), "could not install {NEXTEST}");
    }
    Ok(own)
}

/// Test services that end with this value.
struct Services {
    file: Option<PathBuf>,
    variables: BTreeMap<String, String>,
}

impl Services {
    fn start(root: &Path) -> Result<Self> {
        if env::var_os(OWN_NATS).is_some() {
            return Ok(Self { file: None, variables: BTreeMap::new() });
        }
        let file = root.join(format!("target/test-services.{}", std::process::id()));
        let path = file.to_str().context("the checkout's path is not UTF-8")?;
        services::run(&["start", "--env-file", path])?;
        let text = fs::read_to_string(&file)?;
        let pairs = text.lines().filter_map(|line| line.split_once('='));
        let variables = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Self { file: Some(file), variables })
    }

    fn stop(mut self) -> Result<()> {
        self.file.take().map_or(Ok(()), |file| stop(&file))
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if let Some(Err(error)) = self.file.take().map(|file| stop(&file)) {
            eprintln!("could not stop the test services: {error:#}");
        }
    }
}

fn stop(file: &Path) -> Result<()> {
    let path = file.to_str().context("the checkout's path is not UTF-8")?;
    services::run(&["stop", "--env-file", path])
}

/// Where a runner prints its summary.
#[derive(Clone, Copy)]
enum Stream {
    Output,
    Error,
}

/// Runs `command`, passes on what it prints and adds up what `counts` finds in its lines. A run that ends
/// badly without a failed test (a build error, say) counts as one failure.
fn counted(command: &mut Command, stream: Stream, counts: fn(&str) -> Option<Counts>) -> Result<Counts> {
    match stream {
        Stream::Output => command.stdout(Stdio::piped()),
        Stream::Error => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().with_context(|| format!("could not run {command:?}"))?;
    let lines: Box<dyn std::io::Read> = match (stream, child.stdout.take(), child.stderr.take()) {
        (Stream::Output, Some(output), _) => Box::new(output),
        (Stream::Error, _, Some(error)) => Box::new(error),
        _ => bail!("the runner's output cannot be read"),
    };
    let mut total = Counts::default();
    for line in BufReader::new(lines).lines() {
        let line = line.context("the runner printed something that is not UTF-8")?;
        println!("{line}");
        total += counts(&line).unwrap_or_default();
    }
    let status = child.wait()?;
    if !status.success() && total.failed == 0 {
        println!("{command:?} ended with {status}");
        total.failed = 1;
    }
    Ok(total)
}

/// Reads `Summary [ 1.2s] 10 tests run: 8 passed (1 slow), 1 failed, 1 timed out, 3 skipped`.
fn nextest_counts(line: &str) -> Option<Counts> {
    let (_, ended) = line.trim_start().strip_prefix("Summary ")?.split_once(" run: ")?;
    let mut counts = Counts::default();
    // What stands in brackets says more about the number before it.
    let plain = ended.split('(').map(|part| part.split_once(')').map_or(part, |(_, after)| after));
    for part in plain.collect::<String>().split(',') {
        let (number, how) = part.trim().split_once(' ')?;
        let number: u64 = number.parse().ok()?;
        match how.trim() {
            "passed" => counts.passed += number,
            "skipped" => {}
            _ => counts.failed += number, // failed, timed out, exec failed, aborted
        }
    }
    Some(counts)
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn doc_counts(line: &str) -> Option<Counts> {
    let (_, ended) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |what: &str| ended.split("; ").find_map(|part| part.strip_suffix(what)?.trim().parse().ok());
    Some(Counts { passed: number("passed")?, failed: number("failed")? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_of_both_runners_are_read() {
        let line = "     Summary [   1.250s] 12 tests run: 8 passed (1 slow, 1 flaky), 2 failed, 1 timed out, 1 exec failed, 5 skipped";
        assert_eq!(nextest_counts(line), Some(Counts { passed: 8, failed: 4 }));
        let line = "     Summary [   0.010s] 1 test run: 1 passed, 0 skipped";
        assert_eq!(nextest_counts(line), Some(Counts { passed: 1, failed: 0 }));
        let line = "test result: FAILED. 3 passed; 2 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.5s";
        assert_eq!(doc_counts(line), Some(Counts { passed: 3, failed: 2 }));
        assert_eq!((nextest_counts("    PASS [ 0.1s] x"), doc_counts("running 3 tests")), (None, None));
    }

    #[test]
    fn a_runner_that_dies_without_a_summary_is_a_failure() {
        let mut dies = Command::new("sh");
        dies.args(["-c", "exit 3"]);
        let counts = counted(&mut dies, Stream::Error, nextest_counts).unwrap();
        assert_eq!(counts, Counts { passed: 0, failed: 1 });
    }
}
