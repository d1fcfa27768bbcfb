//! Handing an event to a message, with patience for one that is just being loaded or stopped.

use std::time::Duration;

use hermes_domain::{AttemptRef, MessageId, cascade::Event};
use hermes_ports::{
    cascade_inbox::{DeliverError, Delivered},
    cascade_store::StoredCascade,
};

use crate::api::Api;

/// Pauses between tries.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(150),
    Duration::from_millis(400),
];

/// Delivers to a message that was read before, so that nobody reaches one that is not theirs. One that cannot take the
/// event now is asked again, for 0.6 seconds at most.
pub(crate) async fn deliver(
    api: &Api,
    message: &StoredCascade,
    event: Event,
) -> Result<Delivered, DeliverError> {
    patiently(api, message.envelope.id, event).await
}

/// Delivers what a provider says about an attempt; the cascade itself knows which attempts it has.
pub(crate) async fn deliver_receipt(
    api: &Api,
    attempt: AttemptRef,
    event: Event,
) -> Result<Delivered, DeliverError> {
    patiently(api, attempt.message, event).await
}

async fn patiently(api: &Api, id: MessageId, event: Event) -> Result<Delivered, DeliverError> {
    for pause in PAUSES {
        match api.ports.inbox.deliver(id, event.clone(), None).await {
            Err(DeliverError::Retry) => tokio::time::sleep(pause).await,
            settled => return settled,
        }
    }
    api.ports.inbox.deliver(id, event, None).await
}
