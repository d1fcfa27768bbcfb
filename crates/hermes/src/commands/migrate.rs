//! `hermes migrate`: brings the store's schema up to date.

use std::path::PathBuf;

use clap::Args;
use hermes_config::{Config, environment};
use hermes_ports::clock::SystemClock;

use crate::runtime::{block_on, open_stores};

/// Options of `migrate`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Configuration file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let config = Config::load(options.config.as_deref(), environment())?;
    block_on(async {
        // Opening a store migrates it; a server does the same at its start.
        let stores = open_stores(&config, SystemClock::at_boot()).await?;
        stores.close().await;
        println!("the schema in {} is up to date", config.store.data_dir.display());
        Ok(())
    })
}
