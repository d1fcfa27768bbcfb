//! `hermes bench`: drives a running server and reports what it does.
//!
//! One thread sends, follows completions and keeps the books; a second one only keeps time. Nothing is asked
//! of the server while it is measured but to take messages: completions come from its completion log or by
//! webhook, processor time and memory from the kernel.

mod calibrate;
mod completion;
mod figures;
mod flood;
mod generator;
mod http1;
mod ledger;
mod options;
mod pacing;
mod process;
mod report;
mod request;
mod session;
mod spawn;
mod submissions;
mod target;

use anyhow::Context as _;
use tokio::task::LocalSet;

pub(crate) use options::Options;

pub(crate) fn run(options: Options) -> anyhow::Result<()> {
    let options = options.checked();
    if options.calibrate {
        let limits = calibrate::run(options.dir.as_deref().unwrap_or(&options.api.data))?;
        return print(&limits, options.json);
    }
    let spawned = options.spawn.then(|| spawn::Spawned::start(&options)).transpose()?;
    let target = target::Target::find(&options, spawned.as_ref())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.context("could not start the runtime")?;
    let measured = LocalSet::new().block_on(&runtime, async {
        match (options.flood, &spawned) {
            (Some(messages), Some(spawned)) => {
                let compared = flood::measure(&options, target, &spawned.dev, messages).await?;
                print(&compared, options.json)?;
                compared.verdict()
            }
            (Some(_) | None, _) => {
                let report = session::run(&options, &target).await?;
                print(&report, options.json)?;
                report.verdict()
            }
        }
    });
    // What was started is stopped in any case; a server that cannot be stopped is worth an error of its own.
    let stopped = spawned.map_or(Ok(()), spawn::Spawned::stop);
    measured.and(stopped)
}

fn print(figures: &(impl serde::Serialize + std::fmt::Display), json: bool) -> anyhow::Result<()> {
    if json {
        println!("{}", serde_json::to_string_pretty(figures)?);
    } else {
        print!("{figures}");
    }
    Ok(())
}
