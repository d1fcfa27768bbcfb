//! `hermes provider`: provider connections as operators look after them.

use clap::{Args, Subcommand};
use serde_json::json;

use super::client::{ApiOptions, Caller, Client, id, print, print_list};
use crate::runtime::block_on;

/// Options of `provider`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists connections: id, provider, name, channel, mode, tenant (`-`: all), whether held.
    List,
    /// Proves a connection's credentials without delivering anything; fails when they are refused.
    Check {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Shows breaker, rate windows, success rate and latency.
    Health {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Sends nothing through a connection until it is released; automation cannot undo that.
    Hold {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Undoes a hold.
    Release {
        #[arg(value_parser = id)]
        id: String,
    },
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let client = Client::connect(&options.api, Caller::Operator)?;
    block_on(async {
        match options.command {
            Command::List => {
                let list = client.get("/admin/v1/providers").await?;
                print_list(&list, &["id", "provider", "name", "channel", "mode", "tenant_id", "held"]);
            }
            Command::Check { id } => {
                let checked = client.post(&path(&id, "check"), &json!({})).await?;
                print(&checked);
                anyhow::ensure!(
                    checked["ok"] == true,
                    "the provider does not accept connection {id} as it is"
                );
            }
            Command::Health { id } => print(&client.get(&path(&id, "health")).await?),
            Command::Hold { id } => print(&client.post(&path(&id, "hold"), &json!({})).await?),
            Command::Release { id } => print(&client.post(&path(&id, "release"), &json!({})).await?),
        }
        Ok(())
    })
}

fn path(id: &str, act: &str) -> String {
    format!("/admin/v1/providers/{id}/{act}")
}
