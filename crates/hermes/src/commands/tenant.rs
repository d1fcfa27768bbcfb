//! `hermes tenant`: makes, lists, suspends and resumes tenants.

use std::{fs, path::PathBuf};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{ApiOptions, Caller, Client, id, print, print_list};
use crate::runtime::block_on;

/// Options of `tenant`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Makes a tenant.
    Create {
        /// What it is called.
        name: String,
        /// JSON file with the cascade of messages that name none.
        #[arg(long, value_name = "FILE")]
        default_cascade: Option<PathBuf>,
    },
    /// Lists tenants: id, name, whether suspended, since when.
    List,
    /// Shows a tenant.
    Get {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Stops a tenant: its requests are refused and nothing of it is sent until it is resumed.
    Suspend {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Removes a tenant with its keys, endpoints, cascades and own connections. Refused while messages of it are on
    /// their way, unless it is suspended: then they are cancelled.
    Delete {
        #[arg(value_parser = id)]
        id: String,
    },
    /// Undoes a suspension.
    Resume {
        #[arg(value_parser = id)]
        id: String,
    },
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let client = Client::connect(&options.api, Caller::Operator)?;
    block_on(async {
        match options.command {
            Command::Create { name, default_cascade } => {
                let body = new_tenant(&name, default_cascade)?;
                print(&client.post("/admin/v1/tenants", &body).await?);
            }
            Command::List => {
                let list = client.get("/admin/v1/tenants").await?;
                print_list(&list, &["id", "name", "suspended", "created_at"]);
            }
            Command::Get { id } => print(&client.get(&format!("/admin/v1/tenants/{id}")).await?),
            Command::Suspend { id } => {
                print(&client.post(&format!("/admin/v1/tenants/{id}/suspend"), &json!({})).await?);
            }
            Command::Delete { id } => {
                client.delete(&format!("/admin/v1/tenants/{id}")).await?;
                println!("deleted {id}");
            }
            Command::Resume { id } => {
                print(&client.post(&format!("/admin/v1/tenants/{id}/resume"), &json!({})).await?);
            }
        }
        Ok(())
    })
}

fn new_tenant(name: &str, default_cascade: Option<PathBuf>) -> anyhow::Result<Value> {
    let mut body = json!({ "name": name });
    if let Some(path) = default_cascade {
        let text = fs::read(&path).with_context(|| format!("could not read {}", path.display()))?;
        let cascade: Value = serde_json::from_slice(&text).context("the default cascade is not JSON")?;
        body["default_cascade"] = cascade;
    }
    Ok(body)
}
