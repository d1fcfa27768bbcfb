//! Compiles one adapter to a core module and wraps it as a component.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result, bail, ensure};

/// Components have no operating system below them, hence nothing to import from one.
const TARGET: &str = "wasm32-unknown-unknown";

/// Something built from `adapters/`.
#[derive(Clone, Copy)]
pub(crate) struct Component {
    /// Unique name.
    pub(crate) name: &'static str,
    /// Folder under `adapters/`; its package is `hermes-adapter-<folder>`.
    pub(crate) folder: &'static str,
    /// Feature to switch on.
    pub(crate) feature: Option<&'static str>,
    /// Where the component is committed, from the root.
    pub(crate) output: &'static str,
}

/// A toolchain that can build for [`TARGET`].
pub(crate) struct Toolchain {
    /// As rustup calls it.
    name: &'static str,
    /// Whether the standard library is built from source.
    builds_std: bool,
    /// Where it is installed.
    sysroot: PathBuf,
    /// Output of `rustc --version`.
    pub(crate) version: String,
}

impl Toolchain {
    /// Nightly with library sources, else any toolchain with the target installed.
    pub(crate) fn find() -> Result<Self> {
        for (name, marker, builds_std) in [
            ("nightly", "lib/rustlib/src/rust/library/Cargo.lock", true),
            ("nightly", "lib/rustlib/wasm32-unknown-unknown/lib", false),
            ("stable", "lib/rustlib/wasm32-unknown-unknown/lib", false),
        ] {
            let Ok(sysroot) = rustc(name, &["--print", "sysroot"]) else { continue };
            let sysroot = PathBuf::from(sysroot);
            if sysroot.join(marker).exists() {
                let version = rustc(name, &["--version"])?;
                return Ok(Self { name, builds_std, sysroot, version });
            }
        }
        bail!("no toolchain can build for {TARGET}: run `rustup target add {TARGET} --toolchain stable`")
    }
}

/// Runs a script that provides the sources of the standard library.
pub(crate) fn run_std_script(script: &str) -> Result<()> {
    let status =
        Command::new("bash").arg(script).status().with_context(|| format!("could not run {script}"))?;
    ensure!(status.success(), "{script} failed with {status}");
    Ok(())
}

/// Builds one component; the same sources and compiler give the same bytes in any folder.
pub(crate) fn build(root: &Path, toolchain: &Toolchain, component: Component) -> Result<Vec<u8>> {
    let adapters = root.join("adapters");
    let package = format!("hermes-adapter-{}", component.folder);
    let mut cargo = rustup(toolchain.name, "cargo");
    cargo.current_dir(&adapters).args(["build", "--quiet", "--locked", "--release"]);
    cargo.args(["--target", TARGET, "--package", &package]);
    if toolchain.builds_std {
        cargo.arg("-Zbuild-std=std,panic_abort");
    }
    if let Some(feature) = component.feature {
        cargo.args(["--features", feature]);
    }
    cargo.env("CARGO_TARGET_DIR", adapters.join("target"));
    cargo.env("CARGO_ENCODED_RUSTFLAGS", remapped_paths(&adapters, &toolchain.sysroot)?);
    let status = cargo.status().context("could not run cargo")?;
    ensure!(status.success(), "building {package} failed with {status}");
    let module = format!("target/{TARGET}/release/hermes_adapter_{}.wasm", component.folder);
    let module = std::fs::read(adapters.join(module)).context("cargo left no module")?;
    let mut encoder = wit_component::ComponentEncoder::default().validate(true).module(&module)?;
    encoder.encode().with_context(|| format!("could not wrap {} as a component", component.name))
}

/// Panic messages name source files; without this they would name the builder's folders.
fn remapped_paths(adapters: &Path, sysroot: &Path) -> Result<String> {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo_home = std::env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    let flags =
        [(sysroot, "/rust"), (cargo_home.as_path(), "/cargo"), (adapters, "/adapters")].map(|(from, to)| {
            let from = from.to_str().context("a build folder is not UTF-8")?;
            Ok(format!("--remap-path-prefix={from}={to}"))
        });
    Ok(flags.into_iter().collect::<Result<Vec<String>>>()?.join("\u{1f}"))
}

fn rustc(toolchain: &str, args: &[&str]) -> Result<String> {
    let output = rustup(toolchain, "rustc").args(args).output().context("could not run rustup")?;
    ensure!(output.status.success(), "toolchain {toolchain} is not installed");
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// A command of another toolchain than the one this task was started with.
fn rustup(toolchain: &str, program: &str) -> Command {
    let mut command = Command::new("rustup");
    command.args(["run", toolchain, program]);
    for inherited in ["RUSTUP_TOOLCHAIN", "CARGO", "RUSTC", "RUSTDOC", "RUSTFLAGS", "CARGO_BUILD_TARGET"] {
        command.env_remove(inherited);
    }
    command
}
