//! `hermes doctor`: checks configuration, backends and their durability, and says what to change.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, bail};
use clap::Args;
use hermes_config::{Config, StoreKind, environment};
use hermes_ports::clock::SystemClock;
use hermes_wasm_host::{HostOptions, WasmHost};

use crate::runtime::{block_on, open_stores};

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
    fs::create_dir_all(data_dir).with_context(|| format!("could not make {}", data_dir.display()))?;
    let path = data_dir.join("doctor.tmp");
    let mut file = fs::File::create(&path).context("the data directory is not writable")?;
    let started = Instant::now();
    for _ in 0..FLUSHES {
        file.write_all(&[0; 512])?;
        file.sync_data().context("the file system refuses to flush")?;
    }
    let each_us = started.elapsed().as_micros() / u128::from(FLUSHES);
    fs::remove_file(&path)?;
    let doubt = if each_us < FLUSH_TOO_FAST_US {
        "; suspiciously fast: a write cache without power protection loses accepted messages"
    } else {
        ""
    };
    Ok(format!("a flush takes {each_us} µs{doubt}"))
}

async fn store(config: &Config) -> anyhow::Result<String> {
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
    Ok(format!("kept in {}; back it up: without it credentials cannot be read", kept.display()))
}
