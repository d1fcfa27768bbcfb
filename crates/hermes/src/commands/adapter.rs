//! `hermes adapter`: provider adapters of a running server, and the check of a component before it goes there.

mod conformance;

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, ensure};
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
    /// Lets a version build a share of the submissions too, without sending them; `list` shows how they differ.
    Canary {
        #[arg(value_parser = id)]
        name: String,
        #[arg(value_parser = id)]
        version: String,
        /// Share of the submissions, in percent; 0 ends it.
        #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(0..=100))]
        share: u8,
    },
    /// Activates the version that is observed, if all that it built was the same.
    Promote {
        #[arg(value_parser = id)]
        name: String,
        /// Also when it differed, failed or was never asked.
        #[arg(long)]
        force: bool,
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
                print_list(&list, &["name", "version", "semver", "active", "bytes", "canary"]);
            }
            Command::Push { file, name, activate: at_once } => {
                let (name, component) = (name_of(&file, name)?, read(&file)?);
                let info =
                    client.post_bytes(&format!("{PATH}/{name}"), "application/wasm", component).await?;
                let version = info["version"].as_str().context("the server names no version")?;
                print(&if at_once { activate(&client, &name, version).await? } else { info.clone() });
            }
            Command::Activate { name, version } => print(&activate(&client, &name, &version).await?),
            Command::Canary { name, version, share } => {
                let body = json!({ "version": version, "share_percent": share });
                print(&client.post(&format!("{PATH}/{name}/canary"), &body).await?);
            }
            Command::Promote { name, force } => {
                let list = client.get(PATH).await?;
                let version = promotable(&list, &name, force)?;
                print(&activate(&client, &name, &version).await?);
            }
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

/// The observed version of `name`.
fn promotable(list: &Value, name: &str, force: bool) -> anyhow::Result<String> {
    let mut versions = list["data"].as_array().into_iter().flatten();
    let observed = versions.find(|entry| entry["name"] == name && entry["canary"].is_object());
    let observed = observed.with_context(|| format!("no version of {name} is observed"))?;
    let canary = &observed["canary"];
    let count = |field: &str| canary[field].as_u64().unwrap_or_default();
    let clean = count("compared") > 0 && count("different") == 0 && count("faults") == 0;
    ensure!(
        clean || force,
        "{} compared, {} different, {} faults, at {}: --force activates it all the same",
        count("compared"),
        count("different"),
        count("faults"),
        canary["places"]
    );
    observed["version"].as_str().map(str::to_owned).context("the server names no version")
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

    #[test]
    fn only_a_version_that_built_the_same_is_promoted_without_force() {
        let list = |compared: u64, different: u64, faults: u64| {
            let canary =
                json!({ "compared": compared, "different": different, "faults": faults, "places": {} });
            json!({ "data": [
                { "name": "ses", "version": "1", "canary": null },
                { "name": "twilio", "version": "2", "canary": canary },
            ] })
        };
        assert_eq!(promotable(&list(5, 0, 0), "twilio", false).unwrap(), "2");
        for unclean in [list(0, 0, 0), list(5, 1, 0), list(5, 0, 1)] {
            assert!(promotable(&unclean, "twilio", false).is_err());
            assert_eq!(promotable(&unclean, "twilio", true).unwrap(), "2");
        }
        assert!(promotable(&list(5, 0, 0), "ses", true).is_err(), "it is not observed");
    }
}
