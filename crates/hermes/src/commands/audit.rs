//! `hermes audit`: who did what, and whether the record of it is whole.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use clap::{Args, Subcommand};
use hermes_backend_embedded::AuditReader;
use hermes_config::{Config, environment};
use hermes_ports::{
    AuditRead,
    audit::{hex, verify},
};

use super::client::{ApiOptions, Caller, Client, id, print_list};
use crate::runtime::block_on;

/// Options of `audit`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    api: ApiOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Follows the chain of the audit log from its first entry, in the store directly; a server may be running on it.
    /// Ends with 1 and names the first entry that is not as it was written.
    Verify {
        /// Configuration that names the store.
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// What an earlier run printed as head: this entry must still be there, unchanged.
        #[arg(long, value_parser = noted, value_name = "NUMBER:HASH")]
        head: Option<Noted>,
    },
    /// Lists what was done, newest first: number, when, who, what, to what, how far, status.
    List {
        /// Only what happened to this id.
        #[arg(long, value_parser = id, value_name = "ID")]
        target: Option<String>,
        /// Only by this key.
        #[arg(long, value_parser = id, value_name = "ID")]
        actor: Option<String>,
        /// Only by keys of this tenant.
        #[arg(long, value_parser = id, value_name = "ID")]
        tenant: Option<String>,
    },
}

/// A head that was noted elsewhere.
#[derive(Clone, Debug)]
struct Noted {
    sequence: u64,
    hash: String,
}

fn noted(text: &str) -> Result<Noted, String> {
    let parsed = text.split_once(':').and_then(|(sequence, hash)| {
        let sequence = sequence.parse().ok().filter(|sequence| *sequence > 0)?;
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hash.then(|| Noted { sequence, hash: hash.to_ascii_lowercase() })
    });
    parsed.ok_or_else(|| "expected what `audit verify` prints as head, such as 12:5e8f…".to_owned())
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    match options.command {
        Command::Verify { config, head } => block_on(verified(config.as_deref(), head)),
        Command::List { target, actor, tenant } => {
            let client = Client::connect(&options.api, Caller::Operator)?;
            let filters = [("target", target), ("actor", actor), ("tenant", tenant)];
            let given = filters.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
            let path = format!("/admin/v1/audit?{}", given.collect::<Vec<_>>().join("&"));
            let list = block_on(async { client.get(&path).await })?;
            print_list(&list, &["sequence", "at", "actor", "action", "target", "phase", "status"]);
            Ok(())
        }
    }
}

async fn verified(config: Option<&Path>, noted: Option<Noted>) -> anyhow::Result<()> {
    let config = Config::load(config, environment())?;
    let reader = AuditReader::open(&config.store.data_dir).await.context("could not open the store")?;
    let verdict = verify(&reader).await.context("could not read the audit log")?;
    if let Some(broken) = verdict.broken {
        bail!("the audit log is broken at entry {}: {}", broken.sequence, broken.flaw);
    }
    if let Some(noted) = noted {
        let entry = reader.after(noted.sequence.saturating_sub(1), 1).await?.into_iter().next();
        let same =
            entry.is_some_and(|entry| entry.sequence == noted.sequence && hex(&entry.hash) == noted.hash);
        ensure!(
            same,
            "the audit log is broken at entry {}: it is not the one that was noted",
            noted.sequence
        );
    }
    reader.close().await;
    match verdict.head {
        Some(head) => {
            println!("{} entries, all as they were written", verdict.entries);
            println!("head {}:{}", head.sequence, hex(&head.hash));
        }
        None => println!("no entries"),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noted_head_is_a_number_and_a_hash() {
        let hash = "AB".repeat(32);
        let head = noted(&format!("12:{hash}")).unwrap();
        assert_eq!((head.sequence, head.hash), (12, hash.to_ascii_lowercase()));
        for bad in ["", "12", "0:ab", "12:ab", "x:y"] {
            assert!(noted(bad).is_err(), "{bad}");
        }
    }
}
