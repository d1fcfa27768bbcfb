//! Development tasks: build adapters, start test services, run tests and fuzz targets, check the tree.
//!
//! `cargo xtask <command>`; without a command, the list of commands.

mod adapters;
mod component_build;
mod fuzz;
mod schemathesis;
mod services;
mod test;
mod tree;

use std::{
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context as _, Result, bail};

/// One line per command, for people.
const COMMANDS: &str = "\
build-adapters [--std-script PATH]   build every adapter into adapters/dist
check-adapters                       fail when adapters/dist does not match its sources
services start|stop --env-file FILE  run a private nats-server for tests
test [FILTER ...]                    run every test, or those that nextest's filter names
fuzz [--seconds 1..60] [TARGET ...]  run fuzz targets, each for a bounded time
schemathesis [--max-examples N]      hold a running server against its OpenAPI document
check-tree                           fail when the repository breaks a rule of its own";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> Result<()> {
    match args {
        ["build-adapters", rest @ ..] => adapters::build(rest),
        ["check-adapters"] => adapters::check(),
        ["services", rest @ ..] => services::run(rest),
        ["test", filter @ ..] => test::run(filter),
        ["fuzz", rest @ ..] => fuzz::run(rest),
        ["schemathesis", rest @ ..] => schemathesis::run(rest),
        ["check-tree"] => tree::check(),
        _ => bail!("usage: cargo xtask <command>\n{COMMANDS}"),
    }
}

/// The top of the checkout.
fn root() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).map(Path::to_path_buf).context("xtask lives two folders below the root")
}

/// Cargo without what an outer `cargo run` tells its children about itself.
fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
