//! Wakes messages whose time has come, those in memory and those that are not.

use std::sync::Arc;

use hermes_actor_cascade::{CascadeMsg, Delivery};
use hermes_domain::{MessageId, cascade::Event};
use hermes_ports::cascade_inbox::DeliverError;
use hermes_supervision::error_chain;
use tokio::sync::{Semaphore, oneshot};
use tracing::warn;

use crate::inbox::Inbox;

/// Most messages that are loaded at once.
const LOADS_MAX: usize = 256;

/// Wakes messages, so many at a time.
#[derive(Clone, Debug)]
pub(crate) struct Waker {
    inbox: Inbox,
    loads: Arc<Semaphore>,
}

impl Waker {
    pub(crate) fn new(inbox: Inbox) -> Self {
        Self { inbox, loads: Arc::new(Semaphore::new(LOADS_MAX)) }
    }

    /// Whether another message could be loaded now.
    pub(crate) fn has_room(&self) -> bool {
        self.loads.available_permits() > 0
    }

    /// Tells a message that its due time has come. Whatever is lost here is offered again by the deadlines.
    pub(crate) fn due(&self, id: MessageId) {
        match self.inbox.shared.running.alive(id) {
            Some(actor) => drop(actor.cast(CascadeMsg::Wake)),
            None => {
                let (reply, _) = oneshot::channel();
                let delivery = Delivery { event: Event::Due, consumed: None, reply };
                let waker = self.clone();
                tokio::spawn(async move { waker.load(id, Some(delivery), false).await });
            }
        }
    }

    /// Starts a message that owes an effect.
    pub(crate) async fn recover(&self, id: MessageId) {
        self.load(id, None, true).await;
    }

    async fn load(&self, id: MessageId, delivery: Option<Delivery>, recovered: bool) {
        let Ok(_permit) = self.loads.acquire().await else { return };
        match self.inbox.awaken(id, delivery, recovered).await {
            Ok(()) => {}
            Err(DeliverError::Unknown(_)) => self.inbox.shared.deadlines.remove(id),
            Err(cause) => {
                warn!(message.id = %id, error = error_chain(&cause), "a message could not be woken, trying again");
            }
        }
    }
}
