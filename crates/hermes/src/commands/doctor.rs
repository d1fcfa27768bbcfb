//! `hermes doctor`: checks configuration, backends and their durability, and says what to change. It changes nothing
//! itself: what the first start of a server makes is said to be missing, not made.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, bail};
use clap::Args;
use hermes_backend_embedded::{SchemaVersion, schema_version};
use hermes_config::{Config, StoreKind, environment};
use hermes_ports::clock::SystemClock;
use hermes_wasm_host::{HostOptions, WasmHost};

use crate::runtime::{block_on, keys_are_there, open_stores};

/// Options of `doctor`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// Flushes measured.
const FLUSHES: u32 = 50;
/// A flush faster than this, in microseconds, is hardly a flush to stable storage.
const FLUSH_TOO_FAST_US: u128 = 20;

/// What is said of something that is not there.
const LATER: &str = "is not there yet; the first start makes it";

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let config = Config::load(options.config.as_deref(), environment())?;
    println!("ok    configuration");
    let checks = [
        ("data directory", flushes(&config.store.data_dir)),
        ("store", block_on(store(&config))),
        ("adapter engine", engine()),
        ("secrets", secrets(&config)),
    ];
    let mut failed = 0;
    for (name, result) in checks {
        match result {
            Ok(said) => println!("ok    {name}: {said}"),
            Err(error) => {
                failed += 1;
                println!("FAIL  {name}: {error:#}");
            }
        }
    }
    if failed > 0 { bail!("{failed} of 4 checks failed") } else { Ok(()) }
}

/// Whether the disk can flush, and how long that takes.
fn flushes(data_dir: &Path) -> anyhow::Result<String> {
    let Some(there) = data_dir.ancestors().map(or_here).find(|path| path.is_dir()) else {
        bail!("no part of {} is a directory", data_dir.display());
    };
    let path = there.join(format!("hermes-doctor.{}.tmp", std::process::id()));
    // The directory may be one that others write to: what they left under this name is not written to.
    let file = fs::File::create_new(&path).with_context(|| format!("{} is not writable", there.display()))?;
    let each_us = flush_us(file);
    fs::remove_file(&path)?;
    let each_us = each_us?;
    let doubt = if each_us < FLUSH_TOO_FAST_US {
        "; suspiciously fast: a write cache without power protection loses accepted messages"
    } else {
        ""
    };
    let missing = if data_dir.is_dir() { String::new() } else { format!("; {} {LATER}", data_dir.display()) };
    Ok(format!("a flush takes {each_us} µs{doubt}{missing}"))
}

/// The last ancestor of a relative path is empty: it is where we are.
fn or_here(path: &Path) -> &Path {
    if path.as_os_str().is_empty() { Path::new(".") } else { path }
}

/// Microseconds that one flush takes.
fn flush_us(mut file: fs::File) -> anyhow::Result<u128> {
    let started = Instant::now();
    for _ in 0..FLUSHES {
        file.write_all(&[0; 512])?;
        file.sync_data().context("the file system refuses to flush")?;
    }
    Ok(started.elapsed().as_micros() / u128::from(FLUSHES))
}

async fn store(config: &Config) -> anyhow::Result<String> {
    let data_dir = &config.store.data_dir;
    let Some(SchemaVersion { found, known }) =
        schema_version(data_dir).context("could not read the store")?
    else {
        return Ok(format!("a store in {} {LATER}", data_dir.display()));
    };
    if found < known {
        return Ok(format!("has schema {found}; the next start changes it to {known}, so back it up before"));
    }
    if let Err(kept) = keys_are_there(config) {
        bail!("{} is missing: without it nothing in the store can be read", kept.display());
    }
    let stores = open_stores(config, SystemClock::at_boot()).await?;
    stores.cascades.ping().await.context("the store of cascades does not answer")?;
    stores.close().await;
    Ok(match config.store.kind {
        StoreKind::Embedded => "opens, answers, every commit is flushed".to_owned(),
        // No client can read it: it stands in the servers' configuration.
        StoreKind::Nats => "opens, answers; the servers must have `sync_interval: always`".to_owned(),
    })
}

fn engine() -> anyhow::Result<String> {
    let host = WasmHost::new(HostOptions::default())?;
    let adapters = host.install_embedded()?;
    let names: Vec<String> =
        adapters.into_iter().map(|info| format!("{} {}", info.name, info.semver)).collect();
    Ok(names.join(", "))
}

fn secrets(config: &Config) -> anyhow::Result<String> {
    let kept = config.store.data_dir.join("keys.json");
    if config.secrets.hash_key.is_some() && config.secrets.credentials_key.is_some() {
        return Ok("from the configuration".to_owned());
    }
    if !kept.exists() {
        return Ok(format!("{} {LATER}", kept.display()));
    }
    Ok(format!("kept in {}; back it up: without it credentials cannot be read", kept.display()))
}
