//! One run: warm up, measure, wait for what is still open, sum up.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;
use hermes_domain::UnixMillis;
use tokio::task::JoinHandle;

use super::{
    completion::{Endpoint, LogTail, follow},
    generator::{self, Run},
    options::{Completion, Extent, Load, Options, Scenario},
    pacing::{Pacer, Schedule},
    process::Usage,
    report::{Memory, Report, Sources},
    request::{Envelope, Template},
    submissions::{Counts, Simulator, Submissions},
    target::Target,
};
use crate::commands::client::Client;

/// How often the end of something is looked for.
const LOOK: Duration = Duration::from_millis(20);
/// How often a simulator is asked while it still receives.
const LOOK_SIMULATOR: Duration = Duration::from_millis(500);

/// Processes at one moment; `None` for those that are not known or cannot be seen.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    pub(super) at: Instant,
    pub(super) server: Option<Usage>,
    pub(super) simulator: Option<Usage>,
    pub(super) generator: Option<Usage>,
}

/// What is followed during a run.
struct Followers {
    completion: Option<Completion>,
    log: Option<JoinHandle<std::io::Error>>,
    endpoint: Option<Endpoint>,
}

/// Runs what `options` say against `target`.
///
/// # Errors
/// When the server, its simulator or its completion log cannot be used.
pub(super) async fn run(options: &Options, target: &Target) -> anyhow::Result<Report> {
    let client = Client::new(target.api.clone(), &target.key)?;
    let simulator = target.simulator.as_deref().map(Simulator::new).transpose()?;
    let before = counts(simulator.as_ref()).await?;
    let (load, extent) = (options.load(), options.extent());
    let run = Rc::new(Run::new(load, extent.count));
    let followers = Followers::start(options, target, &client, &run).await?;
    let idle = Sample::take(target);
    let began = unix_now();
    let pacer = send(options, target, &run, began)?;
    let (from, to) = measure(&run, extent, options, pacer.as_ref(), target).await;
    run.stop_sending();
    drain(&run, options, &followers).await;
    pacer.map(Pacer::stop);
    give_up_waiting(&run).await;
    let submissions = submissions(options, &run, simulator.as_ref(), before.as_ref(), began).await?;
    let memory = memory(options, target, &run, idle).await;
    let completion = followers.completion;
    let webhooks = followers.stop(&client).await?;
    let sources = Sources { from, to, submissions, memory, webhooks, completion };
    Ok(Report::new(options, target, load, &run.ledger.borrow(), sources))
}

async fn counts(simulator: Option<&Simulator>) -> anyhow::Result<Option<Counts>> {
    match simulator {
        Some(simulator) => simulator.counts().await.map(Some),
        None => Ok(None),
    }
}

fn unix_now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

/// Starts the workers, and the pacer of an open loop.
fn send(
    options: &Options,
    target: &Target,
    run: &Rc<Run>,
    began: UnixMillis,
) -> anyhow::Result<Option<Pacer>> {
    let keys = options.idempotency_keys.then(|| format!("bench-{}", began.0));
    let envelope = Envelope {
        host: &target.host,
        key: &target.key,
        idempotency: keys.as_deref(),
        lane: options.lane(),
        connection: target.connection.as_deref(),
    };
    let template = Template::new(options.scenario, envelope);
    let connections = usize::from(options.connections);
    let (start, extent) = (Instant::now(), options.extent());
    match options.load() {
        Load::Open { per_s, spacing } => {
            generator::start(run, target.address, &template, connections);
            let schedule = Schedule::new(per_s, spacing, options.seed);
            let length = extent.warmup + extent.duration;
            let pacer = Pacer::start(Arc::clone(&run.tickets), schedule, start, length, extent.count);
            pacer.map(Some).context("could not start the pacing thread")
        }
        Load::Closed { messages, .. } => {
            generator::start(run, target.address, &template, connections.min(messages));
            run.begin();
            Ok(None)
        }
    }
}

/// Waits for the warm-up to pass, opens the window, and closes it when time or number are up.
async fn measure(
    run: &Run,
    extent: Extent,
    options: &Options,
    pacer: Option<&Pacer>,
    target: &Target,
) -> (Sample, Sample) {
    let from = Instant::now() + extent.warmup;
    tokio::time::sleep_until(from.into()).await;
    let first = Sample::take(target);
    run.ledger.borrow_mut().open_window(first.at);
    let end = first.at + extent.duration;
    let mut all_sent = None;
    while Instant::now() < end {
        let issued = extent.count.is_some() && pacer.map_or_else(|| run.is_issued(), Pacer::is_done);
        if issued && run.is_answered() {
            let since = *all_sent.get_or_insert_with(Instant::now);
            let ended = !options.scenario.ends() || run.ledger.borrow().open() == 0;
            if ended || since.elapsed() >= options.drain {
                break;
            }
        }
        let left = end.saturating_duration_since(Instant::now());
        tokio::time::sleep(left.min(LOOK)).await;
    }
    let last = Sample::take(target);
    run.ledger.borrow_mut().close_window(last.at);
    (first, last)
}

/// Waits until everything sent is answered, ended and notified, at most `options.drain`.
async fn drain(run: &Run, options: &Options, followers: &Followers) {
    let until = Instant::now() + options.drain;
    while Instant::now() < until {
        let (open, completed) = {
            let ledger = run.ledger.borrow();
            (ledger.open(), ledger.total.completed)
        };
        let ended = !options.scenario.ends() || open == 0;
        let notified =
            followers.endpoint.as_ref().is_none_or(|endpoint| endpoint.notified().ends >= completed);
        if run.is_answered() && ended && notified {
            return;
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Sends nothing more, books what was never sent, and waits for the last answers.
async fn give_up_waiting(run: &Run) {
    let (left, now) = (run.tickets.close(), Instant::now());
    left.into_iter().for_each(|intended| run.ledger.borrow_mut().unsent(intended, now));
    let until = now + generator::ANSWER_LIMIT + LOOK;
    while !run.is_answered() && Instant::now() < until {
        tokio::time::sleep(LOOK).await;
    }
}

/// Counts what the simulator received. Messages that do not end have to arrive there first.
async fn submissions(
    options: &Options,
    run: &Run,
    simulator: Option<&Simulator>,
    before: Option<&Counts>,
    began: UnixMillis,
) -> anyhow::Result<Option<Submissions>> {
    let (Some(simulator), Some(before)) = (simulator, before) else { return Ok(None) };
    let expected = run.ledger.borrow().total.accepted * options.scenario.submissions();
    let until = Instant::now() + options.drain;
    loop {
        let counts = simulator.counts().await?;
        let processed = counts.since(before);
        if options.scenario.ends() || processed >= expected || Instant::now() >= until {
            return Ok(Some(Submissions { processed, expected, duplicated: counts.duplicated(began) }));
        }
        tokio::time::sleep(LOOK_SIMULATOR).await;
    }
}

/// What waiting messages cost: memory before and after, once the server has come to rest.
async fn memory(options: &Options, target: &Target, run: &Run, idle: Sample) -> Option<Memory> {
    if options.scenario != Scenario::Waiting {
        return None;
    }
    tokio::time::sleep(options.settle).await;
    let (before, after) = (idle.server?, Sample::take(target).server?);
    Some(Memory::new(run.ledger.borrow().open(), before.rss_bytes, after.rss_bytes))
}

impl Sample {
    fn take(target: &Target) -> Self {
        let of = |pid: Option<u32>| pid.and_then(|pid| Usage::of(pid).ok());
        Self {
            at: Instant::now(),
            server: of(target.server_pid),
            simulator: of(target.simulator_pid),
            generator: of(Some(std::process::id())),
        }
    }
}

impl Followers {
    async fn start(
        options: &Options,
        target: &Target,
        client: &Client,
        run: &Rc<Run>,
    ) -> anyhow::Result<Self> {
        if !options.scenario.ends() {
            return Ok(Self { completion: None, log: None, endpoint: None });
        }
        let by_log =
            target.completion_log.as_ref().filter(|_| options.completion != Some(Completion::Webhook));
        let log = match by_log {
            Some(path) => {
                let tail =
                    LogTail::from_end(path).with_context(|| format!("could not read {}", path.display()))?;
                Some(tokio::task::spawn_local(follow(Rc::clone(run), tail)))
            }
            None => None,
        };
        let completion = if log.is_some() { Completion::Log } else { Completion::Webhook };
        let wanted = options.webhook || completion == Completion::Webhook;
        let endpoint = match wanted {
            true => {
                Some(Endpoint::register(client, Rc::clone(run), completion == Completion::Webhook).await?)
            }
            false => None,
        };
        Ok(Self { completion: Some(completion), log, endpoint })
    }

    async fn stop(self, client: &Client) -> anyhow::Result<Option<super::completion::Notified>> {
        if let Some(log) = self.log {
            if log.is_finished() {
                return Err(log.await?).context("the completion log could not be read to the end");
            }
            log.abort();
        }
        let Some(endpoint) = self.endpoint else { return Ok(None) };
        let notified = endpoint.notified();
        endpoint.remove(client).await?;
        Ok(Some(notified))
    }
}

#[cfg(test)]
mod tests;
