//! The Hermes binary: composition root and command line.

mod bench;
mod commands;
mod runtime;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Hermes: one API call, and the message reaches the person.
#[derive(Debug, Parser)]
#[command(name = "hermes", version, about, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Everything on this machine: server, simulator and a demo tenant.
    Dev(commands::dev::Options),
    /// The production server.
    Serve(commands::serve::Options),
    /// The carrier simulator alone.
    Simulator(commands::simulator::Options),
    /// Brings the store's schema up to date.
    Migrate(commands::migrate::Options),
    /// Checks configuration, backends and their durability, and says what to change.
    Doctor(commands::doctor::Options),
    /// Tenants.
    Tenant(commands::tenant::Options),
    /// API keys.
    Key(commands::key::Options),
    /// What was sent, what it cost and brought in, and where it would have cost less.
    Usage(commands::usage::Options),
    /// What operators did.
    Audit(commands::audit::Options),
    /// Messages.
    Message(commands::message::Options),
    /// Provider connections.
    Provider(commands::provider::Options),
    /// Provider adapters: upload, activate, roll back, test a component.
    Adapter(commands::adapter::Options),
    /// Load generator and figures.
    Bench(bench::Options),
}

fn main() -> ExitCode {
    hermes_ports::kill_point::arm_from_env();
    // Every HTTP client of this process uses it; a second installation is refused and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let cli = Cli::parse(); // A usage error exits with 2.
    let result = match cli.command {
        Command::Dev(options) => commands::dev::run(options),
        Command::Serve(options) => commands::serve::run(options),
        Command::Simulator(options) => commands::simulator::run(options),
        Command::Migrate(options) => commands::migrate::run(options),
        Command::Doctor(options) => commands::doctor::run(options),
        Command::Tenant(options) => commands::tenant::run(options),
        Command::Key(options) => commands::key::run(options),
        Command::Usage(options) => commands::usage::run(options),
        Command::Audit(options) => commands::audit::run(options),
        Command::Message(options) => commands::message::run(options),
        Command::Provider(options) => commands::provider::run(options),
        Command::Adapter(options) => commands::adapter::run(options),
        Command::Bench(options) => bench::run(options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("hermes: {error:#}");
            ExitCode::FAILURE
        }
    }
}
