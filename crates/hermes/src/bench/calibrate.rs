//! What this machine can do at most, so that other figures can be read against it.

mod adapter;
mod http;

use std::{
    fmt,
    fs::{self, File},
    io::Write as _,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use hermes_supervision::{Backoff, RestartBudget, StaticSupervisor};
use serde::Serialize;

use super::process::Usage;
use crate::runtime::block_on;

/// How long each measurement takes.
const EACH: Duration = Duration::from_secs(2);
/// Bytes per flush: a page of the store's log with its header is a little more.
const FLUSHED_BYTES: usize = 4_096;
/// Actors started at most: at a few KB each they fit anywhere.
const ACTORS_MAX: u32 = 50_000;

/// The limits that were found.
#[derive(Debug, Serialize)]
pub(super) struct Limits {
    http: http::Bare,
    /// Flushes a second, one at a time, in the data directory.
    fdatasync_per_s: f64,
    actors: Actors,
    adapter: adapter::Calls,
}

/// Starting actors, one after the other.
#[derive(Debug, Serialize)]
struct Actors {
    per_s: f64,
    /// Resident, each; `None` where the kernel does not tell.
    bytes_each: Option<f64>,
}

/// Measures for a few seconds; writes one file into `dir` and removes it.
///
/// # Errors
/// When something cannot be measured at all.
pub(super) fn run(dir: &Path) -> anyhow::Result<Limits> {
    Ok(Limits {
        http: http::measure(EACH)?,
        fdatasync_per_s: flushes(dir).with_context(|| format!("could not flush in {}", dir.display()))?,
        actors: block_on(actors())?,
        adapter: adapter::measure(EACH)?,
    })
}

fn flushes(dir: &Path) -> std::io::Result<f64> {
    fs::create_dir_all(dir)?;
    let path = dir.join(format!("calibrate-{}.tmp", std::process::id()));
    let measured = File::create_new(&path).and_then(|mut file| {
        let (started, mut count) = (Instant::now(), 0_u32);
        while started.elapsed() < EACH {
            file.write_all(&[0; FLUSHED_BYTES])?;
            file.sync_data()?;
            count += 1;
        }
        Ok(f64::from(count) / started.elapsed().as_secs_f64())
    });
    let _ = fs::remove_file(&path); // It may never have been made.
    measured
}

/// Starts supervisors without children: the smallest actor that the tree knows.
async fn actors() -> anyhow::Result<Actors> {
    let backoff = Backoff::try_new(Duration::from_secs(1), Duration::from_secs(1))?;
    let rss = || Usage::of(std::process::id()).map(|usage| usage.rss_bytes as f64).ok();
    let (before, started) = (rss(), Instant::now());
    let mut running = Vec::new();
    while started.elapsed() < EACH && running.len() < usize::try_from(ACTORS_MAX).unwrap_or(usize::MAX) {
        let budget = RestartBudget::new(0, Duration::from_secs(1), backoff);
        running.push(StaticSupervisor::start("calibrate", budget, Vec::new()).await?);
    }
    let (elapsed, count) = (started.elapsed().as_secs_f64(), running.len() as f64);
    let bytes_each = before.zip(rss()).map(|(before, after)| (after - before) / count);
    for supervised in running {
        supervised.actor.stop(None);
        supervised.ended().await?;
    }
    Ok(Actors { per_s: count / elapsed, bytes_each })
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, fdatasync_per_s, actors, adapter } = self;
        writeln!(f, "bare axum POST   {:>9.0} /s, this generator on the same machine", http.requests_per_s)?;
        if let Some((server, generator)) = http.server_us.zip(http.generator_us) {
            let at_most = 1e6 / generator;
            writeln!(
                f,
                "  CPU per request: server {server:.1} µs, generator {generator:.1} µs ({at_most:.0}/s on one core)"
            )?;
        }
        writeln!(f, "fdatasync        {fdatasync_per_s:>9.0} /s, one at a time, {FLUSHED_BYTES} bytes each")?;
        let each = actors.bytes_each.map_or_else(String::new, |bytes| format!(", {bytes:.0} bytes each"));
        writeln!(f, "actors started   {:>9.0} /s, one at a time{each}", actors.per_s)?;
        writeln!(f, "Twilio adapter   {:>9.1} µs to make a request and read its answer", adapter.send_us)?;
        writeln!(f, "  {:.1} µs to read a receipt", adapter.receive_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_with_their_units() {
        let limits = Limits {
            http: http::Bare { requests_per_s: 30_000.0, server_us: Some(20.0), generator_us: Some(25.0) },
            fdatasync_per_s: 900.0,
            actors: Actors { per_s: 70_000.0, bytes_each: None },
            adapter: adapter::Calls { send_us: 8.0, receive_us: 4.0 },
        };
        let text = limits.to_string();
        assert!(text.contains("generator 25.0 µs (40000/s on one core)"), "{text}");
        assert!(text.contains("fdatasync              900 /s"), "{text}");
    }
}
