//! Named places where a crash test may end the process, before and after every durable write and
//! every external effect.
//!
//! Disarmed, a place costs one relaxed load. Armed (by [`arm`], from the environment of a test), a
//! place that is due ends the process at once, as `kill -9` would.

use std::{
    fs::OpenOptions,
    io::Write as _,
    path::PathBuf,
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Every place of a server with one store, by name. A crash test fails if one was never the end of a process.
pub const ALL: [&str; 10] = [
    "commit.before",
    "commit.after",
    "dispatch.before",
    "dispatch.after",
    "outcome.before",
    "receipt.before",
    "receipt.after",
    "accept.after",
    "webhook.before",
    "webhook.after",
];

/// Places that only a server with cascades on NATS passes.
pub const NATS: [&str; 2] = ["nats_commit.before", "nats_commit.after"];

/// Places that only a change of a provider's suppression list passes.
pub const LISTS: [&str; 2] = ["list.before", "list.after"];

/// Places that only an erasure passes.
pub const ERASURE: [&str; 2] = ["erase.recorded", "erase.destroyed"];

static ARMED: AtomicBool = AtomicBool::new(false);
static PLAN: OnceLock<Plan> = OnceLock::new();

#[derive(Debug)]
struct Plan {
    point: String,
    countdown: AtomicU64,
    hits: PathBuf,
}

/// Ends the process at the `passes`-th passage of `point`, after adding its name to the file `hits`.
///
/// Only the first call in a process has an effect.
pub fn arm(point: String, passes: u64, hits: PathBuf) {
    if PLAN.set(Plan { point, countdown: AtomicU64::new(passes.max(1)), hits }).is_ok() {
        ARMED.store(true, Ordering::Release);
    }
}

/// Arms from `HERMES_KILL_POINT=<name>:<passes>:<file>`; anything else leaves it disarmed.
pub fn arm_from_env() {
    let Ok(value) = std::env::var("HERMES_KILL_POINT") else { return };
    let mut parts = value.splitn(3, ':');
    if let (Some(point), Some(passes), Some(hits)) = (parts.next(), parts.next(), parts.next())
        && let Ok(passes) = passes.parse()
    {
        arm(point.to_owned(), passes, PathBuf::from(hits));
    }
}

/// A place called `name`. See the module.
#[inline]
pub fn pass(name: &'static str) {
    if ARMED.load(Ordering::Relaxed) {
        pass_armed(name);
    }
}

#[cold]
fn pass_armed(name: &'static str) {
    let Some(plan) = PLAN.get() else { return };
    if plan.point != name || plan.countdown.fetch_sub(1, Ordering::AcqRel) != 1 {
        return;
    }
    if let Ok(mut file) = OpenOptions::new().create(true).append(true).open(&plan.hits) {
        let _ = writeln!(file, "{name}"); // The test counts what arrives; a lost line only makes it stricter.
    }
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL); // Does not return.
    std::process::abort();
}
