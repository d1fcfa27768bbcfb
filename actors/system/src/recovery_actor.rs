//! Reloads what the store knows to be open: after boot, and after actors were lost.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures::{StreamExt as _, stream};
use hermes_actor_cascade::Shared;
use hermes_domain::MessageId;
use hermes_ports::StoreError;
use hermes_supervision::error_chain;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::wake::Waker;

/// Messages read at a time.
const PAGE: usize = 20_000;
/// Messages started at a time.
const STARTS_MAX: usize = 128;
/// Pause after a store that did not answer.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// What the actor can be told.
#[derive(Debug)]
pub(crate) enum RecoveryMsg {
    /// Read the store and start what owes something.
    Run,
    /// The reading ended.
    Done(Result<Summary, StoreError>),
}

/// What a run found.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Summary {
    open: usize,
    started: usize,
}

/// The actor.
#[derive(Debug)]
pub(crate) struct RecoveryActor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) waker: Waker,
    pub(crate) done: Arc<AtomicBool>,
}

/// Its state: the run under way, and who tells of lost actors.
#[derive(Debug)]
pub(crate) struct State {
    run: Option<JoinHandle<()>>,
    watcher: JoinHandle<()>,
    started: Instant,
}

impl Drop for State {
    fn drop(&mut self) {
        self.watcher.abort();
        if let Some(run) = self.run.take() {
            run.abort();
        }
    }
}

/// Reads every open message, sets its deadline and starts those that owe an effect and do not run.
async fn recover(shared: Arc<Shared>, waker: Waker) -> Result<Summary, StoreError> {
    let (mut after, mut summary) = (None::<MessageId>, Summary::default());
    loop {
        let page = shared.ports.store.open_all(after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(summary) };
        after = Some(last.id);
        summary.open += page.len();
        let mut owing = Vec::new();
        for open in page {
            if shared.running.is_alive(open.id) {
                continue;
            }
            shared.deadlines.set(open.id, open.due);
            if open.owes_effect {
                owing.push(open.id);
            }
        }
        summary.started += owing.len();
        stream::iter(owing).for_each_concurrent(STARTS_MAX, |id| waker.recover(id)).await;
    }
}

impl Actor for RecoveryActor {
    type Msg = RecoveryMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<RecoveryMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        let (shared, watched) = (Arc::clone(&self.shared), me.clone());
        let watcher = tokio::spawn(async move {
            loop {
                shared.lost_some.notified().await;
                if watched.cast(RecoveryMsg::Run).is_err() {
                    return;
                }
            }
        });
        let _ = me.cast(RecoveryMsg::Run); // To ourselves: we are alive.
        Ok(State { run: None, watcher, started: Instant::now() })
    }

    async fn handle(
        &self,
        me: ActorRef<RecoveryMsg>,
        message: RecoveryMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            RecoveryMsg::Run => {
                if let Some(run) = state.run.take() {
                    run.abort();
                }
                let (shared, waker) = (Arc::clone(&self.shared), self.waker.clone());
                state.started = Instant::now();
                state.run = Some(tokio::spawn(async move {
                    let result = recover(shared, waker).await;
                    let _ = me.cast(RecoveryMsg::Done(result)); // We may be shutting down.
                }));
            }
            RecoveryMsg::Done(Ok(Summary { open, started })) => {
                self.done.store(true, Ordering::Release);
                let took_ms = u64::try_from(state.started.elapsed().as_millis()).unwrap_or(u64::MAX);
                info!(
                    messages.open = open,
                    messages.started = started,
                    took_ms,
                    "open messages are back in memory"
                );
            }
            RecoveryMsg::Done(Err(cause)) => {
                warn!(error = error_chain(&cause), "the store could not be read, trying again");
                me.send_after(RETRY_AFTER, || RecoveryMsg::Run);
            }
        }
        Ok(())
    }
}
