//! What is sent, how fast, and where the figures come from.

use std::{path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use hermes_domain::message::Lane;
use serde::Serialize;

use crate::commands::client::{ApiOptions, usage};

/// How long a timed run measures unless told otherwise.
const DURATION: Duration = Duration::from_secs(60);
/// How long a run of a fixed number may take unless told otherwise.
const COUNT_LIMIT: Duration = Duration::from_secs(15 * 60);
/// Messages under way at once unless a rate or another number is given.
const CONCURRENCY: usize = 64;
/// Messages of a `waiting` run unless told otherwise.
const WAITING: u64 = 100_000;

/// Options of `bench`.
#[derive(Debug, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    pub(super) api: ApiOptions,
    /// What is sent.
    #[arg(long, value_enum, default_value = "sms")]
    pub(super) scenario: Scenario,
    /// Open loop: this many messages a second, whatever the server does. Latency counts from the moment a
    /// message should have been sent.
    #[arg(long, value_name = "PER_SECOND", value_parser = rate, conflicts_with = "concurrency")]
    pub(super) rate: Option<f64>,
    /// How messages of an open loop are spread.
    #[arg(long, value_enum, default_value = "poisson")]
    pub(super) spacing: Spacing,
    /// Closed loop: this many messages under way at once (default 64).
    #[arg(long, value_name = "MESSAGES", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    concurrency: Option<u32>,
    /// In a closed loop, what makes room for the next message.
    #[arg(long, value_enum)]
    until: Option<Until>,
    /// Connections to the server at most; a closed loop takes no more than it has messages.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub(super) connections: u16,
    /// How long to measure (default 60s); for a run of a fixed number, how long it may take.
    #[arg(long, value_parser = duration)]
    duration: Option<Duration>,
    /// How long to send before measuring.
    #[arg(long, default_value = "5s", value_parser = duration)]
    warmup: Duration,
    /// How long to wait for messages that have not ended after the last was sent.
    #[arg(long, default_value = "30s", value_parser = duration)]
    pub(super) drain: Duration,
    /// Send exactly this many instead of for a time; `waiting` sends 100000.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    count: Option<u64>,
    /// `waiting`: how long messages are left alone before memory is read.
    #[arg(long, default_value = "20s", value_parser = duration)]
    pub(super) settle: Duration,
    /// The simulator's delay from acceptance to receipt; subtracted from end-to-end latencies, and what a
    /// simulator of `--spawn` is started with.
    #[arg(long, default_value_t = 50, value_name = "MS")]
    pub(super) sim_delay_ms: u64,
    /// Make the server notify a webhook endpoint of every message.
    #[arg(long)]
    pub(super) webhook: bool,
    /// Where completions are seen: `log` if there is a completion log, else `webhook`.
    #[arg(long, value_enum)]
    pub(super) completion: Option<Completion>,
    /// The file that the server was started with as `HERMES_COMPLETION_LOG`.
    #[arg(long, value_name = "FILE")]
    pub(super) completion_log: Option<PathBuf>,
    /// The simulator, to count submissions; without it that of the `hermes dev` in `--data`.
    #[arg(long, value_name = "URL")]
    pub(super) simulator: Option<String>,
    /// The server's process; without it the one that holds the data directory.
    #[arg(long)]
    pub(super) pid: Option<u32>,
    /// Lane of the messages: otp, transactional or bulk (default transactional; with --flood otp).
    #[arg(long, value_parser = lane)]
    lane: Option<Lane>,
    /// Measure twice, the second time while another tenant has just handed over this many bulk messages in
    /// one upload. All messages of both take one connection that the tenants share.
    #[arg(long, value_name = "MESSAGES", requires = "spawn", conflicts_with_all = ["count", "webhook"])]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) flood: Option<u32>,
    /// `--flood`: what the connection that the tenants share may submit a second.
    #[arg(long, value_name = "PER_SECOND", default_value_t = 1_000, requires = "flood")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) flood_rate: u32,
    /// Give every message an idempotency key of its own.
    #[arg(long)]
    pub(super) idempotency_keys: bool,
    /// Seed of Poisson spacing.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// Print JSON.
    #[arg(long)]
    pub(super) json: bool,
    /// Measure what this machine can do at most, in a few seconds, and nothing else.
    #[arg(long, conflicts_with = "spawn")]
    pub(super) calibrate: bool,
    /// Start a server and a simulator for this run, on data of their own, and stop them afterwards.
    #[arg(long, conflicts_with_all = ["completion_log", "simulator", "pid"])]
    pub(super) spawn: bool,
    /// Where `--spawn` makes its data directory, and where `--calibrate` writes.
    #[arg(long, value_name = "DIR")]
    pub(super) dir: Option<PathBuf>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Scenario {
    /// One SMS step that succeeds on delivery.
    Sms,
    /// An SMS whose receipt never comes and that gives up after a second, then an email.
    Cascade,
    /// SMS whose receipt never comes, with days to wait: what waiting costs.
    Waiting,
}

/// How messages of an open loop are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Spacing {
    /// At equal distances.
    Even,
    /// At random, as independent clients would.
    Poisson,
}

/// What makes room for the next message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Until {
    /// The server's answer.
    Accepted,
    /// The end of the message.
    Terminal,
}

/// Where completions are seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Completion {
    /// In the server's completion log.
    Log,
    /// At a webhook endpoint.
    Webhook,
}

/// How fast.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub(super) enum Load {
    /// Messages a second, whatever the server does.
    Open { per_s: f64, spacing: Spacing },
    /// Messages under way at once.
    Closed { messages: usize, until: Until },
}

/// When to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Extent {
    /// Sending without measuring.
    pub(super) warmup: Duration,
    /// Measuring, at most.
    pub(super) duration: Duration,
    /// Messages in all, if fixed.
    pub(super) count: Option<u64>,
}

impl Scenario {
    /// Milliseconds of waiting that belong to the scenario and not to the server.
    pub(super) fn known_wait_ms(self, sim_delay_ms: u64) -> u64 {
        match self {
            Self::Sms => sim_delay_ms,
            Self::Cascade => 1_000 + sim_delay_ms,
            Self::Waiting => 0,
        }
    }

    /// How many submissions a message leads to.
    pub(super) const fn submissions(self) -> u64 {
        match self {
            Self::Sms | Self::Waiting => 1,
            Self::Cascade => 2,
        }
    }

    /// Whether its messages end within a run.
    pub(super) const fn ends(self) -> bool {
        !matches!(self, Self::Waiting)
    }
}

impl Options {
    /// Refuses combinations that cannot work, as usage errors.
    pub(super) fn checked(self) -> Self {
        let waits_for_the_end = self.until == Some(Until::Terminal);
        if self.scenario == Scenario::Waiting
            && (waits_for_the_end || self.webhook || self.completion.is_some())
        {
            usage("waiting messages do not end: leave out --until terminal, --webhook and --completion");
        }
        if self.completion == Some(Completion::Log) && self.completion_log.is_none() && !self.spawn {
            usage("--completion log needs --completion-log FILE");
        }
        if self.flood.is_some() && self.scenario != Scenario::Sms {
            usage("--flood goes with --scenario sms");
        }
        self
    }

    /// The lane that messages name; `None` leaves it to the server.
    pub(super) fn lane(&self) -> Option<Lane> {
        self.lane.or_else(|| self.flood.map(|_| Lane::Otp))
    }

    pub(super) fn load(&self) -> Load {
        let until = match self.scenario {
            Scenario::Waiting => Until::Accepted,
            Scenario::Sms | Scenario::Cascade => self.until.unwrap_or(Until::Terminal),
        };
        let messages = self.concurrency.and_then(|messages| usize::try_from(messages).ok());
        match self.rate {
            Some(per_s) => Load::Open { per_s, spacing: self.spacing },
            None => Load::Closed { messages: messages.unwrap_or(CONCURRENCY), until },
        }
    }

    pub(super) fn extent(&self) -> Extent {
        let waiting = (self.scenario == Scenario::Waiting).then_some(WAITING);
        match self.count.or(waiting) {
            // Every one of a fixed number counts.
            Some(count) => Extent {
                warmup: Duration::ZERO,
                duration: self.duration.unwrap_or(COUNT_LIMIT),
                count: Some(count),
            },
            None => Extent { warmup: self.warmup, duration: self.duration.unwrap_or(DURATION), count: None },
        }
    }
}

/// A number with `ms`, `s` or `m`.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| "expected a duration such as 60s".to_owned())?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err("expected ms, s or m after the number".to_owned()),
    }
}

fn lane(text: &str) -> Result<Lane, String> {
    let known = Lane::ALL.into_iter().find(|lane| lane.as_str() == text);
    known.ok_or_else(|| "expected otp, transactional or bulk".to_owned())
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| "expected a number of messages a second".to_owned())?;
    if (0.01..=1_000_000.0).contains(&rate) { Ok(rate) } else { Err("expected 0.01 to 1000000".to_owned()) }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    /// Options from a command line without the command.
    pub(in crate::bench) fn parse(arguments: &[&str]) -> Options {
        Line::try_parse_from(std::iter::once("bench").chain(arguments.iter().copied())).unwrap().options
    }

    #[test]
    fn a_rate_opens_the_loop_and_nothing_closes_it() {
        let open = parse(&["--rate", "2500", "--spacing", "even"]).load();
        assert_eq!(open, Load::Open { per_s: 2_500.0, spacing: Spacing::Even });
        assert_eq!(parse(&[]).load(), Load::Closed { messages: 64, until: Until::Terminal });
        assert!(Line::try_parse_from(["bench", "--rate", "1", "--concurrency", "1"]).is_err());
    }

    #[test]
    fn waiting_sends_a_fixed_number_and_never_waits_for_an_end() {
        let waiting = parse(&["--scenario", "waiting", "--concurrency", "8"]);
        assert_eq!(waiting.load(), Load::Closed { messages: 8, until: Until::Accepted });
        let extent = waiting.extent();
        assert_eq!((extent.count, extent.warmup), (Some(100_000), Duration::ZERO));
        assert_eq!(parse(&[]).extent().duration, Duration::from_secs(60));
    }

    #[test]
    fn a_flood_is_measured_with_one_time_passwords_unless_told_otherwise() {
        let flooded = parse(&["--spawn", "--flood", "50000"]);
        assert_eq!((flooded.lane(), flooded.flood_rate), (Some(Lane::Otp), 1_000));
        assert_eq!(parse(&["--spawn", "--flood", "9", "--lane", "bulk"]).lane(), Some(Lane::Bulk));
        assert_eq!(parse(&[]).lane(), None);
        assert!(Line::try_parse_from(["bench", "--flood", "9"]).is_err(), "only on a server of its own");
        assert!(Line::try_parse_from(["bench", "--lane", "fast"]).is_err());
    }

    #[test]
    fn durations_carry_a_unit() {
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("1h").is_err() && duration("s").is_err() && duration("-1s").is_err());
        assert!(rate("0").is_err() && rate("NaN").is_err());
    }
}
