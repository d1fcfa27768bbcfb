//! One permanent child: how to start it and how it has fared.

use std::fmt;
use std::pin::Pin;

use ractor::{Actor, ActorCell, SpawnErr};

use crate::address::Address;
use crate::exit::{Cause, Exit};
use crate::inspect::ActorView;

type Spawning = Pin<Box<dyn Future<Output = Result<ActorCell, SpawnErr>> + Send>>;
type Spawn = Box<dyn Fn(ActorCell) -> Spawning + Send + Sync>;

/// After which exits a child is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartPolicy {
    /// After every exit: the actor has no end of its own.
    Always,
    /// After a fault only: the actor does its work and completes.
    OnFault,
}

/// How to start a permanent child, again and again.
pub struct ChildSpec {
    name: &'static str,
    policy: RestartPolicy,
    spawn: Spawn,
}

/// A child and its history.
#[derive(Debug)]
pub(super) struct RunningChild {
    pub(super) spec: ChildSpec,
    /// The present incarnation; none between two, and after the last.
    pub(super) cell: Option<ActorCell>,
    pub(super) restarts: u32,
    starts: u32,
    started_at_ms: u64,
    last_exit: Option<Exit>,
    /// The present incarnation was killed because somebody asked for it.
    kill_requested: bool,
}

// === impl ChildSpec ===

impl ChildSpec {
    /// A child reached through `address`, made afresh by `make` at each start.
    ///
    /// `name` is unique among its siblings; it is the id in views and logs, not a name in
    /// ractor's process-global registry.
    pub fn new<A>(
        name: &'static str,
        policy: RestartPolicy,
        address: Address<A::Msg>,
        make: impl Fn() -> (A, A::Arguments) + Send + Sync + 'static,
    ) -> Self
    where
        A: Actor,
    {
        let spawn: Spawn = Box::new(move |supervisor| {
            let (actor, args) = make();
            let address = address.clone();
            Box::pin(async move {
                let (child, _task) = A::spawn_linked(None, actor, args, supervisor).await?;
                address.set(child.clone());
                Ok(child.get_cell())
            })
        });
        Self { name, policy, spawn }
    }

    /// The child's name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    pub(super) fn spawn(&self, supervisor: ActorCell) -> Spawning {
        (self.spawn)(supervisor)
    }

    pub(super) fn restarts_after(&self, exit: &Exit) -> bool {
        match self.policy {
            RestartPolicy::Always => true,
            RestartPolicy::OnFault => exit.is_fault(),
        }
    }
}

impl fmt::Debug for ChildSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChildSpec")
            .field("name", &self.name)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}

// === impl RunningChild ===

impl RunningChild {
    pub(super) const fn new(spec: ChildSpec) -> Self {
        Self {
            spec,
            cell: None,
            restarts: 0,
            starts: 0,
            started_at_ms: 0,
            last_exit: None,
            kill_requested: false,
        }
    }

    pub(super) fn started(&mut self, cell: ActorCell, now_ms: u64) {
        self.cell = Some(cell);
        self.started_at_ms = now_ms;
        self.starts += 1;
        self.restarts = self.starts - 1;
    }

    /// Kills the present incarnation on request; whether there is one.
    pub(super) fn kill(&mut self) -> bool {
        let Some(cell) = &self.cell else { return false };
        cell.kill();
        self.kill_requested = true;
        true
    }

    /// Notes the end of the present incarnation; whose doing it was.
    pub(super) fn exited(&mut self, exit: &Exit) -> Cause {
        self.cell = None;
        self.last_exit = Some(exit.clone());
        exit.cause(std::mem::take(&mut self.kill_requested))
    }

    pub(super) fn view(&self, parent: &str) -> ActorView {
        let state = match (&self.cell, &self.last_exit) {
            (Some(_), _) => "running",
            (None, Some(exit)) if self.spec.restarts_after(exit) => "restarting",
            (None, Some(_)) => "ended",
            (None, None) => "starting",
        };
        let mut view = ActorView::new(self.spec.name, self.spec.name, state);
        view.parent = Some(parent.to_owned());
        view.restarts = self.restarts;
        view.started_at_ms = self.started_at_ms;
        let fault = self.last_exit.as_ref().filter(|exit| exit.is_fault());
        view.last_error = fault.map(Exit::to_string);
        view
    }
}
