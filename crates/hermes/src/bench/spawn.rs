//! A server and a simulator for one run, each in a process of its own, on a data directory of their own.

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::mpsc::channel,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::options::Options;
use crate::commands::client::DevFile;

/// How long a process may take to be ready.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long a process may take to end: a drain takes at most 30 s.
const STOP_LIMIT: Duration = Duration::from_secs(35);
/// Lines of a failed process's log that are shown.
const LOG_LINES: usize = 10;

/// Both processes. Dropping kills them; [`Spawned::stop`] lets them drain.
#[derive(Debug)]
pub(super) struct Spawned {
    server: Process,
    simulator: Process,
    /// What the server printed when it was ready.
    pub(super) dev: DevFile,
    pub(super) completion_log: PathBuf,
    // Dropped last: the processes write into it.
    _dir: TempDir,
}

#[derive(Debug)]
struct Process {
    child: Child,
    // Kept open: a process that prints into a closed pipe fails.
    _stdout: Option<BufReader<ChildStdout>>,
}

impl Spawned {
    /// Starts both and waits until they are ready.
    ///
    /// # Errors
    /// When one of them does not become ready; both have ended then.
    pub(super) fn start(options: &Options) -> anyhow::Result<Self> {
        let parent = options.dir.clone().unwrap_or_else(std::env::temp_dir);
        let dir = tempfile::Builder::new().prefix("hermes-bench-").tempdir_in(&parent);
        let dir = dir.with_context(|| format!("could not make a directory in {}", parent.display()))?;
        let completion_log = dir.path().join("completions");
        let delay = options.sim_delay_ms.to_string();
        let mut simulator = hermes()?;
        simulator.args([
            "simulator",
            "--listen",
            "127.0.0.1:0",
            "--counts-only",
            "--receipt-delay-ms",
            &delay,
        ]);
        let (simulator, url) = ready(simulator, &dir.path().join("simulator.log"))?;
        let mut server = hermes()?;
        server.args(["dev", "--json", "--listen", "127.0.0.1:0", "--simulator-url", url.trim(), "--data"]);
        server.arg(dir.path().join("data"));
        server.env("HERMES_COMPLETION_LOG", &completion_log);
        let (server, line) = ready(server, &dir.path().join("server.log"))?;
        let dev = serde_json::from_str(&line)
            .context("the server did not print what `hermes dev --json` prints")?;
        Ok(Self { server, simulator, dev, completion_log, _dir: dir })
    }

    pub(super) fn server_pid(&self) -> u32 {
        self.server.child.id()
    }

    pub(super) fn simulator_pid(&self) -> u32 {
        self.simulator.child.id()
    }

    /// Lets the server drain, then ends the simulator.
    ///
    /// # Errors
    /// When one does not end in time or ends with an error; neither runs afterwards.
    pub(super) fn stop(mut self) -> anyhow::Result<()> {
        let server = self.server.stop().context("the server did not stop well");
        let simulator = self.simulator.stop().context("the simulator did not stop well");
        server.and(simulator)
    }
}

fn hermes() -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("could not find this executable")?);
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    Ok(command)
}

/// Starts a process and waits for the first line that it prints.
fn ready(mut command: Command, log: &Path) -> anyhow::Result<(Process, String)> {
    let file = File::create(log).with_context(|| format!("could not make {}", log.display()))?;
    let mut child = command.stderr(file).spawn().context("could not start a process")?;
    let stdout = child.stdout.take().context("a new process has no output")?;
    let mut process = Process { child, _stdout: None };
    let (send, received) = channel();
    std::thread::spawn(move || {
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        let read = stdout.read_line(&mut line);
        let _ = send.send(read.map(|_| (stdout, line))); // Nobody waits once the limit has passed.
    });
    match received.recv_timeout(READY_LIMIT) {
        Ok(Ok((stdout, line))) if !line.is_empty() => {
            process._stdout = Some(stdout);
            Ok((process, line))
        }
        Ok(_) | Err(_) => bail!("a process did not become ready:\n{}", tail(log)),
    }
}

fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_LINES)..].join("\n")
}

impl Process {
    fn stop(&mut self) -> anyhow::Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).context("no process id")?;
        if self.child.try_wait()?.is_none() {
            kill_process(pid, Signal::TERM).context("could not ask it to stop")?;
        }
        let until = Instant::now() + STOP_LIMIT;
        while Instant::now() < until {
            match self.child.try_wait()? {
                Some(status) if status.success() => return Ok(()),
                Some(status) => bail!("it ended with {status}"),
                None => std::thread::sleep(Duration::from_millis(20)),
            }
        }
        bail!("it did not end within {} s and was killed", STOP_LIMIT.as_secs())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill(); // It has ended already after a stop.
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    #[test]
    fn a_process_is_ready_with_its_first_line_and_stops_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let script = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.01; done";
        let (mut process, line) = ready(shell(script), &dir.path().join("log")).unwrap();
        assert_eq!(line, "ready\n");
        process.stop().unwrap();
    }

    #[test]
    fn a_process_that_ends_first_is_told_with_its_last_words() {
        let dir = tempfile::tempdir().unwrap();
        let error = ready(shell("echo out of luck >&2; exit 3"), &dir.path().join("log")).err().unwrap();
        assert!(error.to_string().ends_with("out of luck"), "{error}");
    }

    #[test]
    fn a_process_that_ends_with_an_error_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let script = "trap 'exit 4' TERM; echo ready; while :; do sleep 0.01; done";
        let (mut process, _) = ready(shell(script), &dir.path().join("log")).unwrap();
        assert!(process.stop().unwrap_err().to_string().contains('4'));
    }
}
