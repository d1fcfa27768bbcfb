//! Watches the clock for every waiting message.

use std::{sync::Arc, time::Duration};

use hermes_actor_cascade::Shared;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;

use crate::wake::Waker;

/// A due message is offered again after this long, in milliseconds, unless what it led to was saved.
const AGAIN_MS: u64 = 1_000;
/// Most messages woken in one go.
const BATCH_MAX: usize = 500;
/// Longest pause between two looks.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// Pause while no more messages can be loaded.
const BUSY_PAUSE: Duration = Duration::from_millis(5);

/// What the actor can be told.
#[derive(Debug)]
pub(crate) enum DeadlinesMsg {
    /// Look now.
    Look,
}

/// The actor.
#[derive(Debug)]
pub(crate) struct DeadlinesActor {
    pub(crate) shared: Arc<Shared>,
    pub(crate) waker: Waker,
}

/// Its state: the pending look, and who tells of earlier deadlines.
#[derive(Debug)]
pub(crate) struct State {
    pending: Option<JoinHandle<Result<(), ractor::MessagingErr<DeadlinesMsg>>>>,
    watcher: JoinHandle<()>,
}

impl Drop for State {
    fn drop(&mut self) {
        self.watcher.abort();
        if let Some(pending) = self.pending.take() {
            pending.abort();
        }
    }
}

impl DeadlinesActor {
    /// Wakes what is due and says when to look again.
    fn look(&self) -> Duration {
        let now = self.shared.ports.clock.now();
        if !self.waker.has_room() {
            return BUSY_PAUSE;
        }
        for id in self.shared.deadlines.take_due(now, AGAIN_MS, BATCH_MAX) {
            self.waker.due(id);
        }
        let next = self.shared.deadlines.next();
        next.map_or(PAUSE_MAX, |next| Duration::from_millis(next.since(now))).min(PAUSE_MAX)
    }
}

impl Actor for DeadlinesActor {
    type Msg = DeadlinesMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<DeadlinesMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        let (shared, watched) = (Arc::clone(&self.shared), me.clone());
        let watcher = tokio::spawn(async move {
            loop {
                shared.deadlines.changed().await;
                if watched.cast(DeadlinesMsg::Look).is_err() {
                    return;
                }
            }
        });
        let _ = me.cast(DeadlinesMsg::Look); // To ourselves: we are alive.
        Ok(State { pending: None, watcher })
    }

    async fn handle(
        &self,
        me: ActorRef<DeadlinesMsg>,
        message: DeadlinesMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            DeadlinesMsg::Look => {
                if let Some(pending) = state.pending.take() {
                    pending.abort();
                }
                let pause = self.look();
                state.pending = Some(me.send_after(pause, || DeadlinesMsg::Look));
            }
        }
        Ok(())
    }
}
