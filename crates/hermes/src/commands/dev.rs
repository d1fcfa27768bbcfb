//! `hermes dev`: everything on this machine, ready in a second or two.

mod banner;
mod connections;
mod seed;
mod trail;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context as _, bail};
use clap::Args;
use hermes_config::{Config, environment};
use hermes_simulator::{RunningSimulator, Simulator, SimulatorOptions};

use crate::runtime::{Assembly, DRAIN_MAX, Settings, Told, bind, block_on, serve, start_telemetry};

const LISTEN: &str = "127.0.0.1:8080";
const SIM_LISTEN: &str = "127.0.0.1:8090";

/// Options of `dev`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Where the API listens; without it 127.0.0.1:8080, or a free port if that is busy.
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Where the simulator listens; without it 127.0.0.1:8090, or a free port if that is busy.
    #[arg(long, value_name = "ADDRESS")]
    sim_listen: Option<SocketAddr>,
    /// Use a simulator that runs elsewhere on this machine.
    #[arg(long, value_name = "URL")]
    simulator_url: Option<String>,
    /// Where data is kept.
    #[arg(long, default_value = "./.hermes", value_name = "DIR")]
    data: PathBuf,
    /// Forget everything that was kept before.
    #[arg(long)]
    reset: bool,
    /// Print one line of JSON when ready, and logs on standard error.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let started = Instant::now();
    if options.reset {
        reset(&options.data)?;
    }
    let config = configuration(&options)?;
    let _guard = start_telemetry(&config)?;
    block_on(run_async(options, config, started))
}

async fn run_async(options: Options, config: Config, started: Instant) -> anyhow::Result<()> {
    let listener = bind(options.listen.unwrap_or(LISTEN.parse()?), options.listen.is_none()).await?;
    let api = format!("http://{}", listener.local_addr()?);
    let simulator = simulator(&options).await?;
    let simulator_url = match (&options.simulator_url, &simulator) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(simulator)) => simulator.base_url().to_owned(),
        (None, None) => bail!("no simulator"),
    };
    let trail = (!options.json).then(Told::channel);
    let settings = Settings {
        public_url: api.clone(),
        simulator_url: simulator_url.clone(),
        webhooks_local: true,
        trail: trail.clone(),
    };
    let assembly = Assembly::start(&config, &settings).await?;
    let demo_tenant = seed::seed(&assembly, &options.data, &api, &simulator_url).await?;
    // The simulator calls back to see whether addresses are ours, so we must be listening by then.
    tokio::spawn(seed::set_up_callbacks(simulator_url.clone(), demo_tenant.receipts.clone()));
    if options.json {
        println!("{}", serde_json::to_string(&demo_tenant.file)?);
    } else {
        banner::print(&demo_tenant.file, started.elapsed());
        trail.iter().for_each(|trail| trail::follow(trail.subscribe(), demo_tenant.tenant));
    }
    let served = serve(listener, assembly, config.server.drain_timeout.min(DRAIN_MAX)).await;
    if let Some(simulator) = simulator {
        simulator.shutdown().await;
    }
    served
}

async fn simulator(options: &Options) -> anyhow::Result<Option<RunningSimulator>> {
    if options.simulator_url.is_some() {
        return Ok(None);
    }
    let address = options.sim_listen.unwrap_or(SIM_LISTEN.parse()?);
    let start = |address| Simulator::start(SimulatorOptions::new(address));
    match start(address).await {
        Ok(simulator) => Ok(Some(simulator)),
        Err(hermes_simulator::Error::Listen { cause, .. })
            if options.sim_listen.is_none() && cause.kind() == std::io::ErrorKind::AddrInUse =>
        {
            let simulator =
                start(SocketAddr::new(address.ip(), 0)).await.context("could not start the simulator")?;
            eprintln!("{address} is in use, the simulator listens on {} instead", simulator.addr());
            Ok(Some(simulator))
        }
        Err(error) => Err(error).context("could not start the simulator"),
    }
}

/// Defaults and environment, with the data directory of the command line and quiet logs.
fn configuration(options: &Options) -> anyhow::Result<Config> {
    let data = options.data.to_string_lossy().into_owned();
    let mut env: Vec<(String, String)> = vec![("HERMES__STORE__DATA_DIR".to_owned(), data)];
    if !options.json {
        env.push(("HERMES__TELEMETRY__LOG".to_owned(), "warn".to_owned()));
    }
    // Later entries win, so the environment overrides what `dev` prefers, except for the data directory.
    let given = environment().filter(|(name, _)| name != "HERMES__STORE__DATA_DIR");
    env.extend(given);
    Ok(Config::load(None, env)?)
}

/// Removes what `hermes` keeps in `data`, and nothing else.
fn reset(data: &Path) -> anyhow::Result<()> {
    let entries = match fs::read_dir(data) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(|| format!("could not read {}", data.display())),
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with("hermes.db")
            || name.starts_with("keys.db")
            || ["dev.json", "keys.json"].contains(&name)
        {
            fs::remove_file(&path).with_context(|| format!("could not remove {}", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reset_removes_messages_with_their_keys_and_nothing_of_others() {
        let dir = tempfile::tempdir().unwrap();
        let own = ["hermes.db", "hermes.db-wal", "keys.db", "keys.db-wal", "keys.json", "dev.json"];
        for name in own.iter().chain(&["notes.txt"]) {
            fs::write(dir.path().join(name), "x").unwrap();
        }
        reset(dir.path()).unwrap();
        let left: Vec<_> =
            fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["notes.txt"]);
    }
}
