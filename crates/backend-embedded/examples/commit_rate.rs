//! Measures what a one-step message costs the store: created, accepted, delivered.
//!
//! ```text
//! cargo run --release -p hermes-backend-embedded --example commit_rate -- [messages] [at once] [page bytes]
//! ```
//!
//! The processor time includes building states and the runtime's own work. `written` counts what
//! reached the block layer (`/proc/self/io`), so the directory must not be on a memory file system.

use std::{
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use hermes_backend_embedded::{EmbeddedBackend, EmbeddedOptions};
use hermes_ports::{CascadeStore, cascade_store::Commit};
use hermes_testkit::{Story, envelope};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1).map(|argument| argument.parse::<usize>());
    let messages = arguments.next().transpose()?.unwrap_or(100_000);
    let at_once = arguments.next().transpose()?.unwrap_or(200);
    let page_bytes = u32::try_from(arguments.next().transpose()?.unwrap_or(2_048))?;
    let directory = tempfile::tempdir_in(".")?;
    let options = EmbeddedOptions { page_bytes, ..EmbeddedOptions::new(directory.path()) };
    let backend = EmbeddedBackend::open(options).await?;

    let commits = prepare(messages);
    let (begun, before) = (Instant::now(), Usage::now()?);
    carry_all(&backend, commits, at_once).await?;
    let took = begun.elapsed().as_secs_f64();
    backend.merge_terms().await?;
    let scanned = Instant::now();
    let open = scan(&backend).await?;
    println!("scan of {open} open messages: {:.3} s", scanned.elapsed().as_secs_f64());
    backend.close().await;
    let used = Usage::now()?.since(&before);
    let each = messages as f64;
    println!("{messages} messages, {at_once} at once, pages of {page_bytes} bytes: {took:.1} s");
    println!("{:.0} messages/s, {:.0} commits/s", each / took, each * 3.0 / took);
    println!("{:.1} µs of processor per message", used.cpu_us / each);
    println!("{:.0} bytes written per message", used.written / each);
    Ok(())
}

/// The three commits of each message, computed beforehand so that only the store is measured. The last
/// tenth stays open.
fn prepare(messages: usize) -> Vec<[Option<Commit>; 3]> {
    let commits = (0..messages).map(|number| {
        let story = Story::of(&envelope().sms().tag("order").build()).submitting();
        let create = story.create();
        let story = Story::of(story.envelope()).accepted_as(&format!("SM{number:032}"));
        let accepted = story.replace(hermes_ports::cascade_store::Revision(1));
        let delivered = story.delivered().replace(hermes_ports::cascade_store::Revision(2));
        [Some(create), Some(accepted), (number % 10 != 0).then_some(delivered)]
    });
    commits.collect()
}

async fn carry_all(
    backend: &Arc<EmbeddedBackend>,
    commits: Vec<[Option<Commit>; 3]>,
    at_once: usize,
) -> Result<(), Box<dyn Error>> {
    let (commits, next) = (Arc::new(commits), Arc::new(AtomicUsize::new(0)));
    let workers: Vec<_> = (0..at_once)
        .map(|_| {
            let (backend, commits, next) = (Arc::clone(backend), Arc::clone(&commits), Arc::clone(&next));
            tokio::spawn(async move {
                while let Some(message) = commits.get(next.fetch_add(1, Ordering::Relaxed)) {
                    for commit in message.iter().flatten() {
                        backend.commit(commit.clone()).await?;
                    }
                }
                Ok::<(), hermes_ports::StoreError>(())
            })
        })
        .collect();
    for worker in workers {
        worker.await??;
    }
    Ok(())
}

async fn scan(backend: &EmbeddedBackend) -> Result<usize, Box<dyn Error>> {
    let (mut after, mut count) = (None, 0);
    loop {
        let page = backend.open_all(after, 10_000).await?;
        let Some(last) = page.last() else { return Ok(count) };
        after = Some(last.id);
        count += page.len();
    }
}

struct Usage {
    cpu_us: f64,
    written: f64,
}

impl Usage {
    fn now() -> Result<Self, Box<dyn Error>> {
        let io = std::fs::read_to_string("/proc/self/io")?;
        let written = io.lines().find_map(|line| line.strip_prefix("write_bytes: "));
        let stat = std::fs::read_to_string("/proc/self/stat")?;
        // After the name in parentheses, user and system time are the 12th and 13th field, in ticks of 10 ms.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| fields.get(index).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        let cpu_us = (ticks(11) + ticks(12)) * 10_000.0;
        Ok(Self { cpu_us, written: written.unwrap_or("0").parse()? })
    }

    fn since(&self, before: &Self) -> Self {
        Self { cpu_us: self.cpu_us - before.cpu_us, written: self.written - before.written }
    }
}
