//! Permits: at once where one is free, else in the waiting lists of all candidates.

use std::{sync::Arc, time::Duration};

use hermes_domain::UnixMillis;
use hermes_ports::provider_gateway::{Permit, PermitAnswer, PermitRequest};
use tokio::time::{sleep, timeout};

use crate::{
    line::{CallPermit, Line},
    shared::Shared,
    wish::{Answer, Wish},
};

/// Nobody is sent away for less than this, in milliseconds, or told to stay away for longer than that.
const RETRY_MIN_MS: u64 = 50;
const RETRY_MAX_MS: u64 = 30_000;
/// Pauses between questions while an actor is being restarted.
const LOST_PAUSE_MIN: Duration = Duration::from_millis(5);
const LOST_PAUSE_MAX: Duration = Duration::from_millis(500);

/// A candidate that exists but has no permit now.
struct Candidate {
    index: usize,
    line: Arc<Line>,
}

enum Tried {
    Granted(Permit),
    /// Those to wait for, and when the first of them may be free.
    Taken(Vec<Candidate>, UnixMillis),
}

enum Waited {
    Granted(Permit),
    Busy,
    AskAgain,
}

pub(super) async fn acquire(shared: &Arc<Shared>, request: PermitRequest) -> PermitAnswer {
    let mut pause = LOST_PAUSE_MIN;
    loop {
        let (candidates, retry_at) = match try_now(shared, &request) {
            Tried::Granted(permit) => return PermitAnswer::Granted(permit),
            Tried::Taken(candidates, _) if candidates.is_empty() => return PermitAnswer::NoRoute,
            Tried::Taken(candidates, retry_at) => (candidates, retry_at),
        };
        let now = shared.ports.clock.now();
        if now >= request.until {
            return busy(now, retry_at);
        }
        match wait(shared, &request, candidates).await {
            Waited::Granted(permit) => return PermitAnswer::Granted(permit),
            Waited::Busy => {
                let now = shared.ports.clock.now();
                return busy(now, retry_at);
            }
            Waited::AskAgain => {
                sleep(pause).await;
                pause = (pause * 2).min(LOST_PAUSE_MAX);
            }
        }
    }
}

/// The first candidate with a free permit that nobody waits for.
fn try_now(shared: &Shared, request: &PermitRequest) -> Tried {
    let mut taken = Vec::new();
    let mut retry_at = UnixMillis(u64::MAX);
    for (index, id) in request.candidates.iter().enumerate() {
        let Some(line) = shared.line(*id) else { continue };
        let Some(version) = shared.version(&line) else { continue };
        if line.waiting() == 0 {
            match line.admit() {
                Ok(call) => return Tried::Granted(permit(index, version, call)),
                Err(refused) => retry_at = retry_at.min(refused.retry_at(shared.ports.clock.now())),
            }
        }
        taken.push(Candidate { index, line });
    }
    Tried::Taken(taken, retry_at)
}

/// Waits in the lists of `candidates` until one has a permit.
async fn wait(shared: &Shared, request: &PermitRequest, candidates: Vec<Candidate>) -> Waited {
    let full = |candidate: &Candidate| candidate.line.waiting() >= shared.options.waiting_max;
    let candidates: Vec<_> = candidates.into_iter().filter(|candidate| !full(candidate)).collect();
    if candidates.is_empty() {
        return Waited::Busy;
    }
    let lines = candidates.iter().map(|candidate| Arc::clone(&candidate.line)).collect();
    let (mut waiter, entries) = Wish::enter(lines);
    for (candidate, entry) in candidates.iter().zip(entries) {
        shared.ensure_actor(&candidate.line);
        candidate.line.enlist(entry, request.tenant, request.lane);
    }
    let left = Duration::from_millis(request.until.since(shared.ports.clock.now()));
    match timeout(left, &mut waiter.answer).await {
        Ok(Ok(Answer::Granted { position, permit: call })) => {
            // The adapter may have been unloaded meanwhile; then the permit goes back.
            match shared.version(call.line()) {
                Some(version) => Waited::Granted(permit(candidates[position].index, version, call)),
                None => Waited::AskAgain,
            }
        }
        Ok(Ok(Answer::Full)) => Waited::Busy,
        Ok(Ok(Answer::Lost) | Err(_)) => Waited::AskAgain,
        Err(_) => Waited::Busy,
    }
}

fn permit(
    candidate: usize,
    adapter_version: hermes_domain::cascade::AdapterVersion,
    call: CallPermit,
) -> Permit {
    Permit { candidate, connection: call.line().id, adapter_version, guard: Box::new(call) }
}

fn busy(now: UnixMillis, retry_at: UnixMillis) -> PermitAnswer {
    let retry_at = retry_at.clamp(now.plus_ms(RETRY_MIN_MS), now.plus_ms(RETRY_MAX_MS));
    PermitAnswer::Busy { retry_at }
}
