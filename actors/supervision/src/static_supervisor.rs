//! Keeps the few permanent actors of the tree alive, each restarted on its own.
//!
//! Exits are repaired within one budget for all children. When it is spent the supervisor fails:
//! ractor then takes its children down with it, and [`Supervised::ended`] tells the caller, who
//! for the root exits the process. A kill that was asked for ([`SupervisorMsg::Kill`]) is repaired
//! too, but spends nothing: it shows no fault.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, SystemTime};

use ractor::{
    Actor, ActorCell, ActorProcessingErr, ActorRef, ActorStatus, RpcReplyPort, SpawnErr, SupervisionEvent,
};
use tokio::task::JoinHandle;
use tracing::{error, info, warn};

use crate::call::answer;
use crate::exit::{Exit, reason};
use crate::inspect::{ActorView, error_chain, unix_millis};
use crate::restart_budget::{RestartBudget, Verdict};

mod child;

use child::RunningChild;
pub use child::{ChildSpec, RestartPolicy};

/// The actor; start it with [`StaticSupervisor::start`].
#[derive(Debug)]
pub struct StaticSupervisor {
    name: &'static str,
    gave_up: Arc<OnceLock<GaveUp>>,
}

/// What a static supervisor can be told.
#[derive(Debug)]
pub enum SupervisorMsg {
    /// Asks for the views of the supervisor itself and of its children, in start order.
    Inspect(RpcReplyPort<Vec<ActorView>>),
    /// Kills a child, to prove that it recovers; answers whether it was running. It costs no restart of the budget.
    Kill(String, RpcReplyPort<bool>),
    /// Drains the children in reverse start order and stops.
    ///
    /// Each child may take `limit_each` to handle what is queued; then it is killed. Answers with
    /// the names of those that were.
    Shutdown {
        /// How long one child may take.
        limit_each: Duration,
        /// Answered before the supervisor itself stops.
        done: RpcReplyPort<Vec<String>>,
    },
    /// A delayed restart is due. Sent by the supervisor to itself.
    #[doc(hidden)]
    Restart(usize),
}

/// The restart budget is spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{supervisor} gave up: more than {restarts_max} restarts within {} s, the last because {child} {exit}",
    window.as_secs()
)]
pub struct GaveUp {
    /// Which supervisor.
    pub supervisor: &'static str,
    /// The child that ended last.
    pub child: String,
    /// How it ended.
    pub exit: Exit,
    /// The budget.
    pub restarts_max: usize,
    /// The budget's window.
    pub window: Duration,
}

/// A running supervisor, from its starter's point of view.
#[derive(Debug)]
pub struct Supervised {
    /// Its address. The supervisor is not restarted, so the reference stays valid.
    pub actor: ActorRef<SupervisorMsg>,
    task: JoinHandle<()>,
    gave_up: Arc<OnceLock<GaveUp>>,
}

/// What the actor is started with.
#[derive(Debug)]
pub struct Arguments {
    budget: RestartBudget,
    children: Vec<ChildSpec>,
}

/// The actor's state.
#[derive(Debug)]
pub struct State {
    budget: RestartBudget,
    children: Vec<RunningChild>,
    started_at_ms: u64,
    stopping: bool,
}

impl StaticSupervisor {
    /// Starts a supervisor that nobody supervises, with its children in the order given.
    ///
    /// # Errors
    /// When the supervisor itself could not be spawned. A child that cannot be spawned counts
    /// against the budget, like any exit.
    pub async fn start(
        name: &'static str,
        budget: RestartBudget,
        children: Vec<ChildSpec>,
    ) -> Result<Supervised, SpawnErr> {
        let gave_up = Arc::new(OnceLock::new());
        let supervisor = Self { name, gave_up: Arc::clone(&gave_up) };
        let (actor, task) = Self::spawn(None, supervisor, Arguments { budget, children }).await?;
        Ok(Supervised { actor, task, gave_up })
    }

    fn on_exit(
        &self,
        me: &ActorRef<SupervisorMsg>,
        state: &mut State,
        index: usize,
        exit: Exit,
    ) -> Result<(), GaveUp> {
        let child = &mut state.children[index];
        let cause = child.exited(&exit);
        if state.stopping || !child.spec.restarts_after(&exit) {
            info!(actor.name = child.spec.name(), exit = %exit, "child ended");
            return Ok(());
        }
        match state.budget.decide(cause, tokio::time::Instant::now().into_std()) {
            Verdict::RestartAfter(delay) => {
                let delay_ms = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                warn!(actor.name = child.spec.name(), exit = %exit, delay_ms, "child ended, restarting");
                me.send_after(delay, move || SupervisorMsg::Restart(index));
                Ok(())
            }
            Verdict::GiveUp => Err(self.give_up(state, index, exit)),
        }
    }

    fn give_up(&self, state: &State, index: usize, exit: Exit) -> GaveUp {
        let (restarts_max, window) = state.budget.limit();
        let child = state.children[index].spec.name().to_owned();
        let gave_up = GaveUp { supervisor: self.name, child, exit, restarts_max, window };
        error!(actor.name = self.name, error = %gave_up, "restart budget spent");
        let _ = self.gave_up.set(gave_up.clone()); // A supervisor gives up once.
        gave_up
    }

    async fn start_child(
        &self,
        me: &ActorRef<SupervisorMsg>,
        state: &mut State,
        index: usize,
    ) -> Result<(), GaveUp> {
        if state.stopping || state.children[index].cell.is_some() {
            return Ok(());
        }
        match state.children[index].spec.spawn(me.get_cell()).await {
            Ok(cell) => {
                state.children[index].started(cell, unix_millis(SystemTime::now()));
                Ok(())
            }
            Err(cause) => self.on_exit(me, state, index, Exit::Failed(error_chain(&cause))),
        }
    }

    fn views(&self, state: &State) -> Vec<ActorView> {
        let mut own =
            ActorView::new(self.name, "supervisor", if state.stopping { "stopping" } else { "running" });
        own.started_at_ms = state.started_at_ms;
        own.restarts = state.children.iter().map(|child| child.restarts).sum();
        own.children = state.children.iter().map(|child| child.spec.name().to_owned()).collect();
        let children = state.children.iter().map(|child| child.view(self.name));
        std::iter::once(own).chain(children).collect()
    }
}

impl Supervised {
    /// Waits until the supervisor has ended.
    ///
    /// # Errors
    /// [`GaveUp`] when the restart budget was spent; the process should exit then.
    pub async fn ended(self) -> Result<(), GaveUp> {
        // A panic would be ractor's own: it catches those of handlers.
        let _ = self.task.await;
        self.gave_up.get().cloned().map_or(Ok(()), Err)
    }
}

impl Actor for StaticSupervisor {
    type Msg = SupervisorMsg;
    type State = State;
    type Arguments = Arguments;

    async fn pre_start(
        &self,
        _me: ActorRef<Self::Msg>,
        args: Arguments,
    ) -> Result<State, ActorProcessingErr> {
        let children = args.children.into_iter().map(RunningChild::new).collect();
        let started_at_ms = unix_millis(SystemTime::now());
        Ok(State { budget: args.budget, children, started_at_ms, stopping: false })
    }

    async fn post_start(&self, me: ActorRef<Self::Msg>, state: &mut State) -> Result<(), ActorProcessingErr> {
        for index in 0..state.children.len() {
            self.start_child(&me, state, index).await?;
        }
        Ok(())
    }

    async fn handle(
        &self,
        me: ActorRef<Self::Msg>,
        message: SupervisorMsg,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMsg::Inspect(reply) => answer(reply, self.views(state)),
            SupervisorMsg::Kill(name, reply) => {
                let mut children = state.children.iter_mut();
                let child = children.find(|child| child.spec.name() == name);
                answer(reply, child.is_some_and(RunningChild::kill));
            }
            SupervisorMsg::Restart(index) => self.start_child(&me, state, index).await?,
            SupervisorMsg::Shutdown { limit_each, done } => {
                state.stopping = true;
                answer(done, shut_down(state, limit_each).await);
                me.stop(Some(reason::SHUTDOWN.to_owned()));
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        me: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut State,
    ) -> Result<(), ActorProcessingErr> {
        let Some((id, exit)) = Exit::classify(&event) else { return Ok(()) };
        let ended = |child: &RunningChild| child.cell.as_ref().map(ActorCell::get_id) == Some(id);
        // An actor that is none of the present incarnations needs nothing.
        let Some(index) = state.children.iter().position(ended) else { return Ok(()) };
        Ok(self.on_exit(&me, state, index, exit)?)
    }
}

/// Drains the children, last started first; returns those that had to be killed.
async fn shut_down(state: &State, limit_each: Duration) -> Vec<String> {
    let mut killed = Vec::new();
    for child in state.children.iter().rev() {
        let Some(cell) = &child.cell else { continue };
        let drained = cell.drain_and_wait(Some(limit_each)).await;
        // It also fails for a child that has ended already.
        if drained.is_err() && cell.get_status() != ActorStatus::Stopped {
            cell.kill();
            killed.push(child.spec.name().to_owned());
        }
    }
    killed
}
