//! Development tasks: build adapters, start test services, check the tree.
//!
//! `cargo xtask <command>`; without a command, the list of commands.

mod adapters;
mod component_build;

use anyhow::{Result, bail};

/// One line per command, for people.
const COMMANDS: &str = "\
build-adapters [--std-script PATH]   build every adapter into adapters/dist
check-adapters                       fail when adapters/dist does not match its sources";

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["build-adapters", rest @ ..] => adapters::build(rest),
        ["check-adapters"] => adapters::check(),
        _ => bail!("usage: cargo xtask <command>\n{COMMANDS}"),
    }
}
