//! Takes the lines of uploads in the background, and cancels batches.
//!
//! Everything that it knows is in the store: after a crash it goes on with the first line that is still there. A line
//! that had become a message by then is recognised by its idempotency key. Each tenant and mode has one batch worked on
//! at a time, oldest first, in short turns that take their places in one queue: a large batch does not hold up others'.

use std::{
    collections::HashSet,
    error::Error,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use futures::{StreamExt as _, future, stream};
use hermes_domain::{
    BatchId,
    batch::{Batch, BatchState},
    tenant::TenantScope,
};
use hermes_ports::StoreError;
use hermes_telemetry::names::metric;
use parking_lot::Mutex;
use tokio::{sync::Semaphore, task::JoinSet};
use tracing::warn;

use super::{
    cancelling::cancel_some,
    line::{Taken, take},
    settling::{abandon_some, enter, settle},
};
use crate::{api::Api, gate::Caller};

/// Batches looked at in one go.
pub(super) const LOOK_MAX: usize = 10_000;
/// How often batches are looked for that nobody told of.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Lines taken in one turn.
const TURN_LINES: usize = 64;
/// Lines of a turn that are taken at one time.
pub(super) const AT_ONCE: usize = 16;
/// A turn in which this many lines found no room begins no others: each costs as much as one that finds room. It is
/// more than one because lanes and channels have rooms of their own.
const MISSES_MAX: usize = 8;
/// Turns at one time.
const TURNS_MAX: usize = 8;
/// First pause of a batch that found no room; it doubles.
const PAUSE_FIRST: Duration = Duration::from_millis(50);
/// Its longest pause, whatever it was told to wait: commands and other batches of the tenant should not.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// What a turn led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// There is more to do.
    More,
    /// Some lines found room and some did not: there will be more in a moment.
    Full,
    /// There is no room now; in so many seconds there may be.
    Later(u32),
    /// There is nothing to do.
    Done,
}

/// Works on batches. Made by [`crate::router`].
#[derive(Debug)]
pub struct BatchRunner {
    api: Arc<Api>,
}

impl BatchRunner {
    pub(crate) const fn new(api: Arc<Api>) -> Self {
        Self { api }
    }

    /// Works for ever. Dropping the future stops at the next pause; nothing is lost.
    pub async fn run(self) {
        let began = self.api.now();
        if let Err(failure) = self.api.ports.batches.discard_uploads(began).await {
            warn!(error = &failure as &dyn Error, "uploads that broke off could not be discarded");
        }
        let mut tasks = JoinSet::new();
        let busy: Arc<Mutex<HashSet<TenantScope>>> = Arc::default();
        let places = Arc::new(Semaphore::new(TURNS_MAX));
        loop {
            match self.api.ports.batches.owing(self.api.now(), LOOK_MAX).await {
                Ok(owing) => {
                    metrics::gauge!(metric::BATCHES_RUNNING)
                        .set(f64::from(u32::try_from(owing.len()).unwrap_or(u32::MAX)));
                    for (scope, batches) in by_scope(owing) {
                        if busy.lock().insert(scope) {
                            let (api, places) = (Arc::clone(&self.api), Arc::clone(&places));
                            let busy = Busy { all: Arc::clone(&busy), scope };
                            tasks.spawn(work(api, busy, places, batches));
                        }
                    }
                }
                Err(failure) => warn!(error = &failure as &dyn Error, "batches could not be looked for"),
            }
            while tasks.try_join_next().is_some() {}
            tokio::select! {
                () = self.api.batch_turns.wanted() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
        }
    }

    /// Gives every batch that owes work one turn; whether any could use more at once.
    ///
    /// # Errors
    /// The store's; what was not done stays owed.
    pub async fn round(&self) -> Result<bool, StoreError> {
        let mut more = false;
        for batch in self.api.ports.batches.owing(self.api.now(), LOOK_MAX).await? {
            let (mut from, mut turn) = (0, Turn::More);
            // Cancelling counts its way through the items.
            while turn == Turn::More {
                turn = one_turn(&self.api, batch.scope, batch.id, &mut from).await?;
                if from == 0 {
                    break;
                }
            }
            more |= turn == Turn::More;
        }
        Ok(more)
    }
}

/// Whose batches are being worked on. Dropping it lets the next task begin.
struct Busy {
    all: Arc<Mutex<HashSet<TenantScope>>>,
    scope: TenantScope,
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.all.lock().remove(&self.scope);
    }
}

/// Batches of each scope, those that are to be cancelled first.
fn by_scope(owing: Vec<Batch>) -> Vec<(TenantScope, Vec<BatchId>)> {
    let mut scopes: Vec<(TenantScope, Vec<BatchId>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    let (cancelling, running): (Vec<_>, Vec<_>) =
        owing.into_iter().partition(|batch| batch.state == BatchState::Cancelling);
    for batch in cancelling.into_iter().chain(running) {
        let place = *places.entry(batch.scope).or_insert_with(|| {
            scopes.push((batch.scope, Vec::new()));
            scopes.len() - 1
        });
        scopes[place].1.push(batch.id);
    }
    scopes
}

/// Works on some batches of one scope until each has nothing to do, or has found no room.
async fn work(api: Arc<Api>, busy: Busy, places: Arc<Semaphore>, batches: Vec<BatchId>) {
    for id in batches {
        let (mut from, mut pause) = (0, PAUSE_FIRST);
        loop {
            let Ok(place) = places.acquire().await else { return };
            let turn = one_turn(&api, busy.scope, id, &mut from).await;
            drop(place);
            let wait = match turn {
                Ok(Turn::More) => {
                    pause = PAUSE_FIRST;
                    continue;
                }
                Ok(Turn::Done) => break,
                Ok(Turn::Full) => {
                    pause = PAUSE_FIRST;
                    PAUSE_FIRST
                }
                Ok(Turn::Later(seconds)) => Duration::from_secs(seconds.into()),
                Err(failure) => {
                    warn!(error = &failure as &dyn Error, batch.id = %id, "a batch stopped for a moment");
                    PAUSE_MAX
                }
            };
            tokio::time::sleep(wait.min(pause).min(PAUSE_MAX)).await;
            pause = pause.saturating_mul(2);
        }
    }
}

async fn one_turn(api: &Api, scope: TenantScope, id: BatchId, from: &mut u32) -> Result<Turn, StoreError> {
    let _turn = api.batch_turns.of(id).await;
    let Some(batch) = api.ports.batches.get(scope, id).await? else { return Ok(Turn::Done) };
    let Some(tenant) = api.directory().tenant(scope.tenant) else {
        api.ports.batches.discard(scope, id).await?;
        return Ok(Turn::Done);
    };
    match batch.state {
        // It goes on when the tenant does.
        BatchState::Running if tenant.suspended => Ok(Turn::Done),
        BatchState::Running => take_some(api, &batch, &Caller { tenant, mode: scope.mode }).await,
        BatchState::Cancelling => cancel_some(api, &batch, from).await,
        BatchState::Paused if batch.is_abandoned(api.now()) => abandon_some(api, &batch).await,
        BatchState::Receiving | BatchState::Paused | BatchState::Cancelled | BatchState::Completed => {
            Ok(Turn::Done)
        }
    }
}

async fn take_some(api: &Api, batch: &Batch, caller: &Caller) -> Result<Turn, StoreError> {
    let lines = api.ports.batches.waiting(batch.scope, batch.id, 0, TURN_LINES).await?;
    if lines.is_empty() {
        return enter(api, batch, BatchState::Completed).await;
    }
    let misses = AtomicUsize::new(0);
    let lines =
        stream::iter(lines).take_while(|_| future::ready(misses.load(Ordering::Relaxed) < MISSES_MAX));
    let mut taken = lines.map(|line| take(api, caller, batch, line)).buffer_unordered(AT_ONCE);
    let (mut settled, mut later) = (Vec::with_capacity(TURN_LINES), None);
    while let Some(one) = taken.next().await {
        match one {
            Taken::Settled(item) => settled.push(item),
            Taken::Later(seconds) => {
                misses.fetch_add(1, Ordering::Relaxed);
                later = Some(later.map_or(seconds, |least: u32| least.min(seconds)));
            }
        }
    }
    let any = !settled.is_empty();
    if any {
        settle(api, batch, settled).await?;
    }
    Ok(match later {
        Some(_) if any => Turn::Full,
        Some(seconds) => Turn::Later(seconds.max(1)),
        None => Turn::More,
    })
}
