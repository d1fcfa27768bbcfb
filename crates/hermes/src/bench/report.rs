//! The figures of a run, for people and as JSON.

use std::{collections::BTreeMap, fmt, time::Duration};

use anyhow::bail;
use serde::Serialize;

use super::{
    completion::Notified,
    figures::Percentiles,
    ledger::Ledger,
    options::{Completion, Load, Options, Scenario},
    process::Usage,
    session::Sample,
    submissions::Submissions,
    target::Target,
};

/// Everything that a run has found out.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    scenario: Scenario,
    load: Load,
    completion: Option<Completion>,
    measured_s: f64,
    /// In the whole run, warm-up included.
    accepted: u64,
    completed: u64,
    statuses: BTreeMap<String, u64>,
    refused: BTreeMap<u16, u64>,
    unanswered: u64,
    unsent: u64,
    /// Accepted and not ended when the run gave up waiting; `None` where messages do not end.
    lost: Option<u64>,
    accepted_per_s: f64,
    completed_per_s: f64,
    /// From the intended start to the answer.
    accept_ms: Option<Percentiles>,
    /// From the intended start to the end, less `known_wait_ms`.
    end_to_end_ms: Option<Percentiles>,
    known_wait_ms: u64,
    submissions: Option<Submissions>,
    webhooks: Option<Notified>,
    memory: Option<Memory>,
    server: Option<Server>,
    simulator_cores: Option<f64>,
    generator_cores: Option<f64>,
}

/// What the ledger does not know.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) from: Sample,
    pub(super) to: Sample,
    pub(super) submissions: Option<Submissions>,
    pub(super) memory: Option<Memory>,
    pub(super) webhooks: Option<Notified>,
    pub(super) completion: Option<Completion>,
}

/// What waiting messages take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Memory {
    messages: u64,
    rss_before_bytes: u64,
    rss_after_bytes: u64,
    bytes_per_message: f64,
}

/// The server's process within the window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
struct Server {
    pid: u32,
    cores: f64,
    /// Processor seconds per 1,000 messages that ended (or, where they do not end, were accepted).
    cpu_s_per_1000: Option<f64>,
    written_bytes_per_message: Option<f64>,
    #[serde(flatten)]
    usage: Usage,
}

impl Memory {
    pub(super) fn new(messages: u64, before: u64, after: u64) -> Self {
        let grown = after as f64 - before as f64;
        let bytes_per_message = grown / messages.max(1) as f64;
        Self { messages, rss_before_bytes: before, rss_after_bytes: after, bytes_per_message }
    }
}

impl Server {
    fn new(pid: u32, before: Usage, after: Usage, elapsed: Duration, messages: u64) -> Self {
        let cpu = after.cpu.saturating_sub(before.cpu);
        let per_message = |total: f64| (messages > 0).then(|| total / messages as f64);
        let written = before.written_bytes.zip(after.written_bytes);
        Self {
            pid,
            cores: share(cpu, elapsed),
            cpu_s_per_1000: per_message(cpu.as_secs_f64() * 1_000.0),
            written_bytes_per_message: written
                .and_then(|(before, after)| per_message(after.saturating_sub(before) as f64)),
            usage: after,
        }
    }
}

/// Cores' worth of processor time.
fn share(cpu: Duration, elapsed: Duration) -> f64 {
    cpu.as_secs_f64() / elapsed.as_secs_f64().max(f64::EPSILON)
}

impl Report {
    pub(super) fn new(
        options: &Options,
        target: &Target,
        load: Load,
        ledger: &Ledger,
        sources: Sources,
    ) -> Self {
        let Sources { from, to, submissions, memory, webhooks, completion } = sources;
        let elapsed = to.at.saturating_duration_since(from.at);
        let per_s = |count: u64| count as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
        let known_wait_ms = options.scenario.known_wait_ms(options.sim_delay_ms);
        let ends = options.scenario.ends();
        let handled = if ends { ledger.measured.completed } else { ledger.measured.accepted };
        let cores = |before: Option<Usage>, after: Option<Usage>| {
            before.zip(after).map(|(before, after)| share(after.cpu.saturating_sub(before.cpu), elapsed))
        };
        let server = target.server_pid.zip(from.server.zip(to.server));
        Self {
            scenario: options.scenario,
            load,
            completion,
            measured_s: elapsed.as_secs_f64(),
            accepted: ledger.total.accepted,
            completed: ledger.total.completed,
            statuses: ledger.statuses.clone(),
            refused: ledger.refused.clone(),
            unanswered: ledger.unanswered,
            unsent: ledger.unsent,
            lost: ends.then(|| ledger.open()),
            accepted_per_s: per_s(ledger.measured.accepted),
            completed_per_s: per_s(ledger.measured.completed),
            accept_ms: ledger.accept.less(Duration::ZERO),
            end_to_end_ms: ledger.end_to_end.less(Duration::from_millis(known_wait_ms)),
            known_wait_ms,
            submissions,
            webhooks,
            memory,
            server: server.map(|(pid, (before, after))| Server::new(pid, before, after, elapsed, handled)),
            simulator_cores: cores(from.simulator, to.simulator),
            generator_cores: cores(from.generator, to.generator),
        }
    }

    /// The 99th percentile from the intended start to the end, less the known wait.
    pub(super) fn end_to_end_p99_ms(&self) -> Option<f64> {
        self.end_to_end_ms.map(|percentiles| percentiles.p99)
    }

    /// # Errors
    /// When nothing was accepted, a message was lost or sent twice, or a webhook was not genuine.
    pub(super) fn verdict(&self) -> anyhow::Result<()> {
        let duplicated = self.submissions.map_or(0, |submissions| submissions.duplicated);
        let bad = self.webhooks.map_or(0, |webhooks| webhooks.bad);
        let lost = self.lost.unwrap_or(0);
        match (self.accepted, lost, duplicated, bad) {
            (0, ..) => bail!("no message was accepted"),
            (_, 0, 0, 0) => Ok(()),
            (..) => bail!("{lost} messages lost, {duplicated} submitted twice, {bad} webhooks not genuine"),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.header(f)?;
        self.rates(f)?;
        self.latencies(f)?;
        self.losses(f)?;
        self.processes(f)
    }
}

impl Report {
    fn header(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let load = match self.load {
            Load::Open { per_s, spacing } => format!("open loop, {per_s}/s, {spacing:?} spacing"),
            Load::Closed { messages, until } => format!("closed loop, {messages} messages until {until:?}"),
        };
        let seen = match self.completion {
            Some(Completion::Log) => "ends seen in the log (to the millisecond)",
            Some(Completion::Webhook) => "ends seen by webhook",
            None => "no ends expected",
        };
        let line = format!("{:?}: {load}; measured {:.1} s; {seen}", self.scenario, self.measured_s);
        writeln!(f, "{}", line.to_lowercase())
    }

    fn rates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let refused: u64 = self.refused.values().sum();
        writeln!(
            f,
            "accepted    {:>9.1} /s  ({} in all; refused {refused}, unanswered {}, unsent {})",
            self.accepted_per_s, self.accepted, self.unanswered, self.unsent
        )?;
        self.refused
            .iter()
            .try_for_each(|(status, count)| writeln!(f, "  refused with {status}: {count}"))?;
        let statuses: Vec<_> =
            self.statuses.iter().map(|(status, count)| format!("{status} {count}")).collect();
        let Some(_) = self.lost else { return Ok(()) };
        let completed = self.completed_per_s;
        writeln!(f, "completed   {completed:>9.1} /s  ({} in all; {})", self.completed, statuses.join(", "))
    }

    fn latencies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(accept) = &self.accept_ms {
            writeln!(f, "accept      {accept}")?;
        }
        if let Some(end_to_end) = &self.end_to_end_ms {
            let known = self.known_wait_ms;
            writeln!(
                f,
                "end to end  {end_to_end}\n  less {known} ms that the simulator and the scenario wait"
            )?;
        }
        Ok(())
    }

    fn losses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(lost) = self.lost {
            writeln!(f, "lost        {lost}")?;
        }
        match self.submissions {
            Some(Submissions { processed, expected, duplicated }) => {
                writeln!(f, "duplicated  {duplicated}  ({processed} submissions, {expected} expected)")?;
            }
            None => writeln!(f, "duplicated  unknown: no simulator to ask")?,
        }
        let Some(Notified { received, ends, repeated, checked, bad }) = self.webhooks else { return Ok(()) };
        let told = format!("{received} received, {ends} ends, {repeated} repeated");
        writeln!(f, "webhooks    {told}; {checked} signatures checked, {bad} bad")
    }

    fn processes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MB: f64 = 1_000_000.0;
        match &self.server {
            Some(Server { pid, cores, cpu_s_per_1000, written_bytes_per_message, usage }) => {
                let or_unknown = |value: &Option<f64>, digits: usize| {
                    value.map_or_else(|| "unknown".to_owned(), |value| format!("{value:.digits$}"))
                };
                writeln!(
                    f,
                    "server      {cores:.2} cores, {} CPU s per 1,000 messages, {} bytes written per message",
                    or_unknown(cpu_s_per_1000, 3),
                    or_unknown(written_bytes_per_message, 0)
                )?;
                let (rss, peak) = (usage.rss_bytes as f64 / MB, usage.rss_peak_bytes as f64 / MB);
                writeln!(f, "  RSS {rss:.1} MB, peak {peak:.1} MB (process {pid})")?;
            }
            None => writeln!(f, "server      process unknown: give --pid")?,
        }
        if let Some(Memory { messages, rss_before_bytes, rss_after_bytes, bytes_per_message }) = self.memory {
            let (before, after) = (rss_before_bytes as f64 / MB, rss_after_bytes as f64 / MB);
            writeln!(
                f,
                "waiting     {messages} messages: RSS {before:.1} → {after:.1} MB, {bytes_per_message:.0} bytes each"
            )?;
        }
        let cores = |cores: Option<f64>| {
            cores.map_or_else(|| "unknown".to_owned(), |cores| format!("{cores:.2} cores"))
        };
        writeln!(f, "generator   {}   simulator {}", cores(self.generator_cores), cores(self.simulator_cores))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn usage(cpu_ms: u64, written: Option<u64>) -> Usage {
        Usage { cpu: Duration::from_millis(cpu_ms), rss_bytes: 9, rss_peak_bytes: 10, written_bytes: written }
    }

    #[test]
    fn the_servers_cost_is_per_message_of_the_window() {
        let second = Duration::from_secs(10);
        let server = Server::new(7, usage(1_000, Some(100)), usage(3_000, Some(40_100)), second, 10_000);
        assert!((server.cores - 0.2).abs() < 1e-9);
        assert!((server.cpu_s_per_1000.unwrap() - 0.2).abs() < 1e-9);
        assert!((server.written_bytes_per_message.unwrap() - 4.0).abs() < 1e-9);
        let idle = Server::new(7, usage(1, None), usage(1, None), second, 0);
        assert_eq!((idle.cpu_s_per_1000, idle.written_bytes_per_message), (None, None));
    }

    #[test]
    fn memory_per_waiting_message_is_what_was_added() {
        assert!((Memory::new(1_000, 50_000, 250_000).bytes_per_message - 200.0).abs() < 1e-9);
        assert!(Memory::new(0, 5, 4).bytes_per_message < 0.0);
    }
}
