//! Delivers events to cascades, waking those that are not in memory.

use std::{fmt, sync::Arc, time::Duration};

use async_trait::async_trait;
use hermes_actor_cascade::{Awaken, CascadeMsg, Delivery, Shared};
use hermes_actor_tenant::Tenants;
use hermes_domain::{MessageId, cascade::Event};
use hermes_ports::{
    CascadeInbox,
    cascade_inbox::{DeliverError, Delivered},
    receipt_inbox::ParkedId,
};
use tokio::sync::oneshot;

/// Pauses between offers to an actor that was just ending, in milliseconds. About two seconds in all.
const PAUSES_MS: [u64; 9] = [1, 2, 5, 10, 50, 100, 300, 600, 900];
/// How long one offer may take.
const OFFER_LIMIT: Duration = Duration::from_secs(10);

/// The inbox of every message.
#[derive(Clone)]
pub(crate) struct Inbox {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tenants: Tenants,
}

impl fmt::Debug for Inbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inbox").finish_non_exhaustive()
    }
}

#[async_trait]
impl CascadeInbox for Inbox {
    async fn deliver(
        &self,
        id: MessageId,
        event: Event,
        consumed: Option<ParkedId>,
    ) -> Result<Delivered, DeliverError> {
        for pause_ms in PAUSES_MS {
            if let Some(delivered) = self.offer(id, event.clone(), consumed).await? {
                return Ok(delivered);
            }
            tokio::time::sleep(Duration::from_millis(pause_ms)).await;
        }
        Err(DeliverError::Retry)
    }
}

impl Inbox {
    /// Offers an event once. `None`: the actor was ending; offer it again.
    async fn offer(
        &self,
        id: MessageId,
        event: Event,
        consumed: Option<ParkedId>,
    ) -> Result<Option<Delivered>, DeliverError> {
        let (reply, answer) = oneshot::channel();
        let delivery = Delivery { event, consumed, reply };
        match self.shared.running.alive(id) {
            Some(actor) => drop(actor.cast(CascadeMsg::Deliver(delivery))), // A dropped reply tells below.
            None => self.awaken(id, Some(delivery), false).await?,
        }
        match tokio::time::timeout(OFFER_LIMIT, answer).await {
            Ok(answered) => Ok(answered.ok()),
            Err(_elapsed) => Err(DeliverError::Retry),
        }
    }

    /// Starts a message from the store, and tells it something.
    pub(crate) async fn awaken(
        &self,
        id: MessageId,
        delivery: Option<Delivery>,
        recovered: bool,
    ) -> Result<(), DeliverError> {
        let stored = self.shared.ports.store.load(id).await.map_err(DeliverError::Store)?;
        let stored = stored.ok_or(DeliverError::Unknown(id))?;
        let tenant = self.tenants.get(stored.envelope.tenant).await.ok_or(DeliverError::Retry)?;
        tenant.awaken(Awaken { stored, recovered, delivery });
        Ok(())
    }
}
