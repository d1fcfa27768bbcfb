//! Servers for tests, without Docker: fetched, started on a free port, stopped by their own process id.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use hermes_testkit::nats;
use rustix::process::{Pid, Signal, kill_process};

const PID: &str = "HERMES_TEST_NATS_PID";
const DIRECTORY: &str = "HERMES_TEST_NATS_DIRECTORY";

/// `start --env-file F` or `stop --env-file F`.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["start", "--env-file", file] => start(Path::new(file)),
        ["stop", "--env-file", file] => stop(Path::new(file)),
        _ => bail!("usage: cargo xtask services start|stop --env-file FILE"),
    }
}

/// Starts a server and writes where it is, and how to stop it, as shell variables.
fn start(file: &Path) -> Result<()> {
    if file.exists() {
        bail!("{} exists: stop those services first", file.display());
    }
    let binary = nats::binary().context("could not fetch nats-server")?;
    let directory = tempfile::Builder::new().prefix("hermes-nats-").tempdir()?;
    let (process, url) = nats::start_with(&binary, directory.path(), |command| {
        command.process_group(0); // Ctrl-C in this terminal is not for it.
    })?;
    let directory = directory.keep();
    let (url_variable, pid) = (nats::URL_VARIABLE, process.id());
    let variables = format!("{url_variable}={url}\n{PID}={pid}\n{DIRECTORY}={}\n", directory.display());
    fs::write(file, variables).with_context(|| format!("could not write {}", file.display()))?;
    println!("nats-server at {url}, process {pid}");
    Ok(())
}

/// Stops exactly the process that `start` began, and forgets its storage.
fn stop(file: &Path) -> Result<()> {
    let text = fs::read_to_string(file).with_context(|| format!("could not read {}", file.display()))?;
    let variables: BTreeMap<&str, &str> = text.lines().filter_map(|line| line.split_once('=')).collect();
    let value = |name: &str| variables.get(name).copied().with_context(|| format!("{name} is missing"));
    let (pid, directory) = (value(PID)?, PathBuf::from(value(DIRECTORY)?));
    if is_nats_server(pid) {
        let pid = pid.parse().ok().and_then(Pid::from_raw).context("not a process id")?;
        kill_process(pid, Signal::TERM).context("could not stop nats-server")?;
        wait_until_gone(value(PID)?)?;
    } else {
        println!("process {pid} is gone already");
    }
    if directory.exists() {
        fs::remove_dir_all(&directory)?;
    }
    fs::remove_file(file)?;
    Ok(())
}

/// It writes to its storage until it is gone.
fn wait_until_gone(pid: &str) -> Result<()> {
    for _ in 0..200 {
        if !is_nats_server(pid) {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50)); // Not our child: it cannot be waited for.
    }
    bail!("nats-server {pid} does not stop")
}

/// Whether it runs. Process ids are used again: another program must not be stopped by mistake. One that has
/// ended stays in the list, as a zombie, for as long as the process that started it.
fn is_nats_server(pid: &str) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let field = |name| status.lines().find_map(|line: &str| line.strip_prefix(name)).map(str::trim);
    field("Name:") == Some("nats-server") && field("State:").is_some_and(|state| !state.starts_with('Z'))
}
