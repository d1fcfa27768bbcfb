//! `hermes key`: API keys. A key is shown once, when it is made.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::client::{ApiOptions, Caller, Client, id, print, print_list, usage};
use crate::runtime::{block_on, create_operator_key, rotate_credentials};

/// Options of `key`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a key and prints it; it cannot be read again.
    Create(New),
    /// Encrypts all stored credentials under a new key: the configured one, or one that it makes for `keys.json`.
    /// No server may be running on the embedded store.
    RotateCredentials {
        /// Configuration that names the store and the keys.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
    },
    /// Lists a tenant's keys: id, name, mode, when they end, since when.
    List {
        /// Whose.
        #[arg(long, value_parser = id, value_name = "ID")]
        tenant: String,
    },
}

#[derive(Debug, Args)]
struct New {
    /// A key of this tenant.
    #[arg(long, value_parser = id, value_name = "ID", required_unless_present = "operator")]
    tenant: Option<String>,
    /// What the key reaches: `test` ends at the simulator.
    #[arg(long, required_unless_present = "operator")]
    mode: Option<Mode>,
    /// What it is called.
    #[arg(long, default_value = "command line")]
    name: String,
    /// An operator's key, written into the store directly: no server may be running on it.
    #[arg(long, conflicts_with_all = ["tenant", "mode", "name"])]
    operator: bool,
    /// Configuration that names the store of the operator's key.
    #[arg(long, value_name = "FILE", requires = "operator")]
    config: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    Live,
    Test,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    match options.command {
        Command::Create(New { operator: true, config, .. }) => {
            println!("{}", create_operator_key(config.as_deref())?);
            Ok(())
        }
        Command::Create(New { tenant, mode, name, .. }) => {
            let (Some(tenant), Some(mode)) = (tenant, mode) else {
                usage("give --tenant ID and --mode live|test")
            };
            let mode = match mode {
                Mode::Live => "live",
                Mode::Test => "test",
            };
            let client = Client::connect(&options.api, Caller::Operator)?;
            let path = format!("/admin/v1/tenants/{tenant}/keys");
            print(&block_on(async { client.post(&path, &json!({ "name": name, "mode": mode })).await })?);
            Ok(())
        }
        Command::RotateCredentials { config } => {
            let done = rotate_credentials(config.as_deref())?;
            println!("{} secrets encrypted under the new key, {} were already", done.resealed, done.current);
            Ok(())
        }
        Command::List { tenant } => {
            let client = Client::connect(&options.api, Caller::Operator)?;
            let list = block_on(async { client.get(&format!("/admin/v1/tenants/{tenant}/keys")).await })?;
            print_list(&list, &["id", "name", "mode", "expires_at", "created_at"]);
            Ok(())
        }
    }
}
