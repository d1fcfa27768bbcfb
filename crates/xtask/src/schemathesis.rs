//! `schemathesis`: holds a running server against the OpenAPI document that it serves.
//!
//! The server is `hermes dev` of this checkout, on ports and data of its own. Which checks run, and what they accept,
//! is in `schemathesis.toml`.

use std::{
    env,
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::{cargo, root};

/// The version that is fetched; others find other things.
const VERSION: &str = "4.32.5";
/// Examples per operation without `--max-examples`: two cores need about a minute.
const EXAMPLES: u32 = 36;
/// How long a run may take for each example, which is three times what two cores need.
const EXAMPLE_LIMIT: Duration = Duration::from_secs(5);
/// How long the server may take to end after SIGTERM, which it answers within 30 s.
const END_LIMIT: Duration = Duration::from_secs(35);

/// `[--max-examples N]`.
pub(crate) fn run(arguments: &[&str]) -> Result<()> {
    let examples = match arguments {
        [] => EXAMPLES,
        ["--max-examples", count] => count.parse().context("--max-examples takes a number")?,
        _ => bail!("usage: cargo xtask schemathesis [--max-examples N]"),
    };
    let root = root()?;
    let program = installed(&root)?;
    let built = cargo().args(["build", "--locked", "--quiet", "--bin", "hermes"]).current_dir(&root).status();
    ensure!(built.context("could not run cargo")?.success(), "could not build hermes");
    let data = tempfile::Builder::new().prefix("hermes-schemathesis-").tempdir()?;
    let mut server = Server::start(&root, data.path())?;
    let mut checks = Command::new(program);
    checks.arg("--config-file").arg(root.join("schemathesis.toml"));
    checks.args(["run", &server.document(), "--max-examples", &examples.to_string(), "--no-color"]);
    checks.env("HERMES_TENANT_KEY", &server.tenant_key).env("HERMES_OPERATOR_KEY", &server.operator_key);
    let mut checks = checks.current_dir(data.path()).spawn().context("could not run schemathesis")?;
    let checked = ended(&mut checks, EXAMPLE_LIMIT * examples.max(20))?;
    server.stop()?;
    ensure!(checked.success(), "the API and its document disagree; see above");
    Ok(())
}

/// Waits for a process to end, and ends it when it takes longer than `limit`.
fn ended(process: &mut Child, limit: Duration) -> Result<ExitStatus> {
    let began = Instant::now();
    loop {
        if let Some(status) = process.try_wait()? {
            return Ok(status);
        }
        if began.elapsed() > limit {
            process.kill()?;
            process.wait()?;
            bail!("process {} did not end within {} s", process.id(), limit.as_secs());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Schemathesis in an environment of its own below `target`.
fn installed(root: &Path) -> Result<PathBuf> {
    let environment = root.join("target/tools").join(format!("schemathesis-{VERSION}"));
    let program = environment.join("bin/schemathesis");
    let works = Command::new(&program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if works.is_ok_and(|status| status.success()) {
        return Ok(program);
    }
    println!("schemathesis is missing: installing {VERSION} into target/tools, once");
    let made = Command::new("python3").args(["-m", "venv"]).arg(&environment).status();
    ensure!(made.context("could not run python3")?.success(), "could not make a Python environment");
    let package = format!("schemathesis=={VERSION}");
    let pip = Command::new(environment.join("bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", &package])
        .status();
    ensure!(pip.context("could not run pip")?.success(), "could not install schemathesis {VERSION}");
    Ok(program)
}

/// A `hermes dev` that ends with this value.
struct Server {
    process: Child,
    api: String,
    tenant_key: String,
    operator_key: String,
}

impl Server {
    fn start(root: &Path, data: &Path) -> Result<Self> {
        let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let log = std::fs::File::create(data.join("hermes.log"))?;
        let any_port = "127.0.0.1:0";
        let mut process = Command::new(target.join("debug/hermes"))
            .args(["dev", "--json", "--listen", any_port, "--sim-listen", any_port, "--data"])
            .arg(data.join("data"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .context("could not start hermes dev")?;
        let output = process.stdout.take().context("its output was asked for")?;
        let mut server =
            Self { process, api: String::new(), tenant_key: String::new(), operator_key: String::new() };
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).context("hermes dev said nothing")?;
        let told: Value = serde_json::from_str(&line).context("hermes dev did not start")?;
        let field = |name: &str| {
            told[name].as_str().map(str::to_owned).with_context(|| format!("hermes dev tells no {name}"))
        };
        server.api = field("api")?;
        server.tenant_key = field("tenant_key")?;
        server.operator_key = field("admin_key")?;
        Ok(server)
    }

    fn document(&self) -> String {
        format!("{}/openapi.json", self.api)
    }

    /// Asks it to end, and says so when it does not, or when it had ended before.
    fn stop(&mut self) -> Result<()> {
        if let Some(status) = self.process.try_wait()? {
            bail!("hermes dev ended by itself with {status}");
        }
        let id = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw).context("not a process id")?;
        kill_process(id, Signal::TERM).context("could not stop hermes dev")?;
        let status = ended(&mut self.process, END_LIMIT)?;
        ensure!(status.success(), "hermes dev ended with {status}");
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Only where something failed on the way is it still there.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
