//! `hermes serve`: the production server.

use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use hermes_config::{Config, environment};
use hermes_simulator::{Simulator, SimulatorOptions};
use tracing::info;

use crate::runtime::{Assembly, DRAIN_MAX, Settings, bind, block_on, serve, start_telemetry};

/// Options of `serve`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Configuration file; without it the defaults and `HERMES__SECTION__KEY` variables count.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let config = Config::load(options.config.as_deref(), environment())?;
    let _guard = start_telemetry(&config)?;
    block_on(async {
        let listener = bind(config.server.listen, false).await?;
        // A test key reaches nothing but a simulator: the configured one, or one inside this process.
        let (simulator_url, _simulator) = match &config.simulator.url {
            Some(url) => (url.as_str().trim_end_matches('/').to_owned(), None),
            None => {
                let local = SimulatorOptions::new(([127, 0, 0, 1], 0).into());
                let simulator =
                    Simulator::start(local).await.context("could not start the simulator for test keys")?;
                (simulator.base_url().to_owned(), Some(simulator))
            }
        };
        let settings = Settings {
            public_url: config.server.public_url.as_str().trim_end_matches('/').to_owned(),
            simulator_url,
            webhooks_local: false,
            trail: None,
        };
        let assembly = Assembly::start(&config, &settings).await?;
        info!(server.address = %listener.local_addr()?, "hermes is serving");
        serve(listener, assembly, config.server.drain_timeout.min(DRAIN_MAX)).await
    })
}
