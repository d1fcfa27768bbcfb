//! An address that survives restarts.
//!
//! An `ActorRef` is dead once its actor has ended. Others therefore hold an `Address`, in which
//! the supervisor replaces the reference at every restart.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use ractor::{ActorRef, ActorStatus, Message, RpcReplyPort};

use crate::call::{AskError, ask};

/// Where to reach a permanent actor, whichever incarnation it is in. Cheap to clone.
pub struct Address<M> {
    current: Arc<RwLock<Option<ActorRef<M>>>>,
}

/// The actor was not there; the message was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the actor is not running")]
pub struct NotRunning;

impl<M: Message> Address<M> {
    /// An address at which nobody lives yet.
    #[must_use]
    pub fn vacant() -> Self {
        Self { current: Arc::new(RwLock::new(None)) }
    }

    /// Moves a new incarnation in. Called by the supervisor only.
    pub fn set(&self, actor: ActorRef<M>) {
        *self.current.write() = Some(actor);
    }

    /// The present incarnation, if one was started; it may have ended a moment ago.
    #[must_use]
    pub fn get(&self) -> Option<ActorRef<M>> {
        self.current.read().clone()
    }

    /// The present incarnation unless it has ended; it may end at any moment.
    #[must_use]
    pub fn living(&self) -> Option<ActorRef<M>> {
        self.get().filter(|actor| actor.get_status() < ActorStatus::Stopping)
    }

    /// Leaves a message; it is lost if the actor ends before it is handled.
    ///
    /// # Errors
    /// [`NotRunning`] between two incarnations.
    pub fn cast(&self, message: M) -> Result<(), NotRunning> {
        let actor = self.get().ok_or(NotRunning)?;
        actor.cast(message).map_err(|_| NotRunning)
    }

    /// Asks with a deadline, as [`ask`] does.
    ///
    /// # Errors
    /// [`AskError::Gone`] also between two incarnations.
    pub async fn ask<R: Send + 'static>(
        &self,
        question: impl FnOnce(RpcReplyPort<R>) -> M,
        limit: Duration,
    ) -> Result<R, AskError> {
        let actor = self.get().ok_or(AskError::Gone)?;
        ask(&actor, question, limit).await
    }
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { current: Arc::clone(&self.current) }
    }
}

impl<M> fmt::Debug for Address<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let id = self.current.read().as_ref().map(|actor| actor.get_id());
        f.debug_struct("Address").field("current", &id).finish()
    }
}
