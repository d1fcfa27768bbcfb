//! `hermes simulator`: the carrier simulator alone.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use anyhow::Context as _;
use clap::Args;
use hermes_simulator::{LogDetail, Simulator, SimulatorOptions};

use crate::runtime::block_on;

/// Options of `simulator`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:8090", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Keep the request log in this file.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Milliseconds from acceptance to the receipt.
    #[arg(long, default_value_t = 50, value_name = "MS")]
    receipt_delay_ms: u64,
    /// Keep only counts per reference in memory, for load runs.
    #[arg(long)]
    counts_only: bool,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    block_on(async {
        let simulator = Simulator::start(SimulatorOptions {
            log: options.log,
            receipt_delay: Duration::from_millis(options.receipt_delay_ms),
            log_detail: if options.counts_only { LogDetail::Counts } else { LogDetail::Full },
            ..SimulatorOptions::new(options.listen)
        })
        .await
        .context("could not start the simulator")?;
        println!("{}", simulator.base_url());
        crate::runtime::asked_to_stop().await?;
        simulator.shutdown().await;
        Ok(())
    })
}
