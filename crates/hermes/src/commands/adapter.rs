//! `hermes adapter`: provider adapters of a running server, and the check of a component before it goes there.

mod conformance;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::client::{ApiOptions, Caller, Client, id, print, print_list};
use crate::runtime::block_on;

const PATH: &str = "/admin/v1/adapters";

/// Options of `adapter`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Lists versions, newest first: name, version, its own number, whether new calls use it, bytes.
    List,
    /// Uploads a component; new calls use it only once it is activated.
    Push {
        /// The component.
        file: PathBuf,
        /// Name of the adapter; without it that of the file.
        #[arg(long, value_parser = id)]
        name: Option<String>,
        /// Activate it at once.
        #[arg(long)]
        activate: bool,
    },
    /// Makes new calls use a version; running ones finish on theirs.
    Activate {
        #[arg(value_parser = id)]
        name: String,
        #[arg(value_parser = id)]
        version: String,
    },
    /// Activates the version that was installed before the active one.
    Rollback {
        #[arg(value_parser = id)]
        name: String,
    },
    /// Loads a component on this machine as a server would, and holds it against recorded exchanges and against
    /// answers and webhooks that it must withstand. Fails when a check does.
    Test {
        /// The component.
        file: PathBuf,
        /// Name of the adapter; without it that of the file.
        #[arg(long, value_parser = id)]
        name: Option<String>,
        /// Folder of recorded exchanges, one JSON file a case.
        #[arg(long, value_name = "DIR")]
        fixtures: Option<PathBuf>,
    },
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    if let Command::Test { file, name, fixtures } = &options.command {
        let (name, component) = (name_of(file, name.clone())?, read(file)?);
        return conformance::test(file, &name, &component, fixtures.as_deref());
    }
    let client = Client::connect(&options.api, Caller::Operator)?;
    block_on(async {
        match options.command {
            Command::List => {
                let list = client.get(PATH).await?;
                print_list(&list, &["name", "version", "semver", "active", "bytes"]);
            }
            Command::Push { file, name, activate: at_once } => {
                let (name, component) = (name_of(&file, name)?, read(&file)?);
                let info = client.post_component(&format!("{PATH}/{name}"), component).await?;
                let version = info["version"].as_str().context("the server names no version")?;
                print(&if at_once { activate(&client, &name, version).await? } else { info.clone() });
            }
            Command::Activate { name, version } => print(&activate(&client, &name, &version).await?),
            Command::Rollback { name } => {
                let list = client.get(PATH).await?;
                let version = before_active(&list, &name)
                    .with_context(|| format!("{name} has no version older than the active one"))?;
                print(&activate(&client, &name, &version).await?);
            }
            Command::Test { .. } => {} // Needs no server: above.
        }
        Ok(())
    })
}

async fn activate(client: &Client, name: &str, version: &str) -> anyhow::Result<Value> {
    client.post(&format!("{PATH}/{name}/activate"), &json!({ "version": version })).await
}

/// The version that follows the active one in a list that begins with the newest.
fn before_active(list: &Value, name: &str) -> Option<String> {
    let versions = list["data"].as_array()?.iter().filter(|entry| entry["name"] == name);
    let older = versions.skip_while(|entry| entry["active"] != true).nth(1)?;
    older["version"].as_str().map(str::to_owned)
}

fn name_of(file: &Path, given: Option<String>) -> anyhow::Result<String> {
    let stem = || file.file_stem().and_then(|stem| stem.to_str()).and_then(|stem| id(stem).ok());
    given.or_else(stem).context("the file's name is no adapter's: give --name NAME")
}

fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("could not read {}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rollback_goes_to_the_version_before_the_active_one() {
        let entry = |name: &str, version: &str, active: bool| json!({ "name": name, "version": version, "active": active });
        let list = json!({ "data": [
            entry("ses", "9", true),
            entry("twilio", "3", false),
            entry("twilio", "2", true),
            entry("twilio", "1", false),
        ] });
        assert_eq!(before_active(&list, "twilio").as_deref(), Some("1"));
        assert_eq!(before_active(&list, "ses"), None);
        assert_eq!(before_active(&list, "fcm"), None);
    }

    #[test]
    fn a_component_s_name_is_its_file_s() {
        assert_eq!(name_of(Path::new("dist/acme_sms.wasm"), None).unwrap(), "acme_sms");
        assert_eq!(name_of(Path::new("dist/a.wasm"), Some("b".to_owned())).unwrap(), "b");
        assert!(name_of(Path::new("dist/a b.wasm"), None).is_err());
    }
}
