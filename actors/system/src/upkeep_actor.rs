//! Housekeeping once a second: indexes, what has expired, and the figures of slow clocks.

use std::{sync::Arc, time::Duration};

use hermes_ports::{Upkeep, clock::SystemClock};
use hermes_supervision::error_chain;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::task::JoinHandle;
use tracing::warn;

/// How often.
const EVERY: Duration = Duration::from_secs(1);
/// A wall clock this far away from ours, in milliseconds, is worth a line.
const DRIFT_MAX_MS: u64 = 2_000;

/// What the actor can be told.
#[derive(Debug)]
pub(crate) enum UpkeepMsg {
    /// A second has passed.
    Tick,
}

/// The actor.
#[derive(Debug)]
pub(crate) struct UpkeepActor {
    pub(crate) upkeep: Arc<dyn Upkeep>,
    pub(crate) clock: SystemClock,
}

/// Its state: the round under way, and the drift that was last told.
#[derive(Debug, Default)]
pub(crate) struct State {
    round: Option<JoinHandle<()>>,
    told_drift_ms: i64,
}

impl Actor for UpkeepActor {
    type Msg = UpkeepMsg;
    type State = State;
    type Arguments = ();

    async fn pre_start(&self, me: ActorRef<UpkeepMsg>, (): ()) -> Result<State, ActorProcessingErr> {
        me.send_interval(EVERY, || UpkeepMsg::Tick);
        Ok(State::default())
    }

    async fn handle(
        &self,
        _: ActorRef<UpkeepMsg>,
        UpkeepMsg::Tick: UpkeepMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let drift_ms = self.clock.wall_drift_ms();
        if (drift_ms - state.told_drift_ms).unsigned_abs() > DRIFT_MAX_MS {
            warn!(drift_ms, "the wall clock was stepped; deadlines keep following the clock of this boot");
            state.told_drift_ms = drift_ms;
        }
        if state.round.as_ref().is_some_and(|round| !round.is_finished()) {
            return Ok(());
        }
        let upkeep = Arc::clone(&self.upkeep);
        state.round = Some(tokio::spawn(async move {
            if let Err(cause) = upkeep.upkeep().await {
                warn!(error = error_chain(&cause), "upkeep of the store was not finished");
            }
        }));
        Ok(())
    }
}
