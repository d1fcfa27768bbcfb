//! How an actor ended, in the project's own terms.
//!
//! ractor reports an `Err` and a panic as `ActorFailed`, but a kill and a cancelled task as
//! `ActorTerminated` with a magic reason. A policy that looks at the event's variant alone would
//! take both for normal exits, so every supervisor classifies through this module.

use std::fmt;

use ractor::{ActorId, SupervisionEvent};

use crate::inspect::error_chain;

/// The reasons an actor may give when it stops, and those that ractor gives.
///
/// They are the whole vocabulary between an actor and its supervisor: pass these constants to
/// `stop`, never a literal.
pub mod reason {
    /// The actor's work is done; it needs no successor.
    pub const COMPLETED: &str = "completed";
    /// The actor left memory while it waits; it will be started again when it is due.
    pub const PASSIVATED: &str = "passivated";
    /// Another owner has taken over; this actor must perform no further effect.
    pub const SUPERSEDED: &str = "superseded";
    /// The process or the parent is going down.
    pub const SHUTDOWN: &str = "shutdown";

    /// Set by ractor when an actor was killed (`actor.rs`, `ActorErr::Cancelled`).
    pub(crate) const RACTOR_KILLED: &str = "killed";
    /// Set by ractor when the actor's task was aborted (`actor.rs`, `ActorLifecycleGuard`).
    pub(crate) const RACTOR_CANCELLED: &str = "actor_task_cancelled";
}

/// How an actor ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exit {
    /// It finished its work ([`reason::COMPLETED`]).
    Completed,
    /// It was evicted while waiting ([`reason::PASSIVATED`]).
    Passivated,
    /// It lost ownership to another node or incarnation ([`reason::SUPERSEDED`]).
    Superseded,
    /// It was stopped or drained, with any other reason or none.
    Stopped,
    /// It was killed: the state is gone and `post_stop` did not run.
    Killed,
    /// Its task was aborted, for instance by a runtime that is shutting down.
    Cancelled,
    /// A handler returned an error or panicked; the text is the chain of causes.
    Failed(String),
}

/// Whose doing an exit was; only what nobody asked for counts towards restart budgets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// It came from the actor itself, or nobody knows from where.
    Own,
    /// An operator had the actor killed, to prove that it recovers.
    Request,
}

impl Exit {
    /// Whose doing it was, of an actor that somebody had (or had not) asked to be killed.
    #[must_use]
    pub fn cause(&self, kill_requested: bool) -> Cause {
        // A fault of its own may have come before the kill.
        if kill_requested && *self == Self::Killed { Cause::Request } else { Cause::Own }
    }

    /// Says which actor ended and how, or `None` for events that are not about an end.
    #[must_use]
    pub fn classify(event: &SupervisionEvent) -> Option<(ActorId, Self)> {
        match event {
            SupervisionEvent::ActorFailed(cell, cause) => {
                Some((cell.get_id(), Self::Failed(error_chain(cause.as_ref()))))
            }
            SupervisionEvent::ActorTerminated(cell, _, why) => {
                Some((cell.get_id(), Self::from_reason(why.as_deref())))
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => None,
        }
    }

    /// Classifies the reason of a termination that was not an error.
    #[must_use]
    pub fn from_reason(reason: Option<&str>) -> Self {
        match reason {
            Some(reason::COMPLETED) => Self::Completed,
            Some(reason::PASSIVATED) => Self::Passivated,
            Some(reason::SUPERSEDED) => Self::Superseded,
            Some(reason::RACTOR_KILLED) => Self::Killed,
            Some(reason::RACTOR_CANCELLED) => Self::Cancelled,
            Some(_) | None => Self::Stopped,
        }
    }

    /// Whether the actor ended against its will, so that its state in memory is lost.
    #[must_use]
    pub const fn is_fault(&self) -> bool {
        match self {
            Self::Killed | Self::Cancelled | Self::Failed(_) => true,
            Self::Completed | Self::Passivated | Self::Superseded | Self::Stopped => false,
        }
    }

    /// A short name for logs and metric labels; the set is closed.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Passivated => "passivated",
            Self::Superseded => "superseded",
            Self::Stopped => "stopped",
            Self::Killed => "killed",
            Self::Cancelled => "cancelled",
            Self::Failed(_) => "failed",
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(cause) => write!(f, "failed: {cause}"),
            other => f.write_str(other.label()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_class() {
        let cases = [
            (Some(reason::COMPLETED), Exit::Completed),
            (Some(reason::PASSIVATED), Exit::Passivated),
            (Some(reason::SUPERSEDED), Exit::Superseded),
            (Some(reason::SHUTDOWN), Exit::Stopped),
            (Some("killed"), Exit::Killed),
            (Some("actor_task_cancelled"), Exit::Cancelled),
            (Some("Drained"), Exit::Stopped),
            (None, Exit::Stopped),
        ];
        for (given, expected) in cases {
            assert_eq!(Exit::from_reason(given), expected, "reason {given:?}");
        }
    }

    #[test]
    fn only_a_kill_that_was_asked_for_is_not_the_actors_own_doing() {
        assert_eq!(Exit::Killed.cause(true), Cause::Request);
        for exit in [Exit::Cancelled, Exit::Failed("x".into()), Exit::Stopped] {
            assert_eq!(exit.cause(true), Cause::Own, "{exit}");
        }
        assert_eq!(Exit::Killed.cause(false), Cause::Own);
    }

    #[test]
    fn only_ends_against_the_actors_will_are_faults() {
        for fault in [Exit::Killed, Exit::Cancelled, Exit::Failed("x".into())] {
            assert!(fault.is_fault(), "{fault}");
        }
        for normal in [Exit::Completed, Exit::Passivated, Exit::Superseded, Exit::Stopped] {
            assert!(!normal.is_fault(), "{normal}");
        }
    }
}
