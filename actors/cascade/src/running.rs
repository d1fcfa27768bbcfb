//! Where running cascades can be reached. Changes with every restart, so nobody keeps an address.

use dashmap::DashMap;
use hermes_domain::MessageId;
use ractor::{ActorId, ActorRef, ActorStatus};

use crate::messages::CascadeMsg;

/// Addresses of running cascades, by message.
#[derive(Debug, Default)]
pub struct Running(DashMap<MessageId, ActorRef<CascadeMsg>>);

impl Running {
    /// The address of a message's actor, if it runs; it may end before it is used.
    pub fn get(&self, id: MessageId) -> Option<ActorRef<CascadeMsg>> {
        self.0.get(&id).map(|entry| entry.value().clone())
    }

    /// The address of a message's actor, unless it is known to have ended: a supervisor that dies takes
    /// its children along without taking them off this list.
    pub fn alive(&self, id: MessageId) -> Option<ActorRef<CascadeMsg>> {
        self.get(id).filter(|actor| actor.get_status() < ActorStatus::Stopping)
    }

    /// Whether a message's actor runs or is about to.
    pub fn is_alive(&self, id: MessageId) -> bool {
        self.alive(id).is_some()
    }

    /// How many run.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether none runs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn insert(&self, id: MessageId, actor: ActorRef<CascadeMsg>) {
        self.0.insert(id, actor);
    }

    /// Removes the entry unless a newer incarnation has taken it.
    pub(crate) fn remove(&self, id: MessageId, actor: ActorId) {
        self.0.remove_if(&id, |_, current| current.get_id() == actor);
    }
}
